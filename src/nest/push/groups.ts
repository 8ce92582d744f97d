import { invalidOption } from '../../core/options.js';

/**
 * Which members are in which groups. A group exists as long as it has a member. What is known of a
 * member goes with `leaveAll`.
 */
export class Groups<Member> {
  readonly #members = new Map<string, Set<Member>>();
  readonly #groups = new Map<Member, Set<string>>();

  /** @throws PikeError `PIKE_ERR_INVALID_OPTION` unless the name is a string */
  join(member: Member, name: string): void {
    checkGroupName(name);
    add(this.#members, name, member);
    add(this.#groups, member, name);
  }

  /** @returns whether the member was in the group */
  leave(member: Member, name: string): boolean {
    remove(this.#groups, member, name);
    return remove(this.#members, name, member);
  }

  leaveAll(member: Member): void {
    for (const name of this.#groups.get(member) ?? []) remove(this.#members, name, member);
    this.#groups.delete(member);
  }

  membersOf(name: string): Iterable<Member> {
    return this.#members.get(name) ?? [];
  }

  /** How many groups there are. */
  get size(): number {
    return this.#members.size;
  }
}

/**
 * Names often come from peers: what is no string would make a group that nobody finds again.
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`
 */
export function checkGroupName(name: unknown): void {
  if (typeof name === 'string') return;
  throw invalidOption('group', 'name', `must be a string; got ${typeof name}`);
}

function add<Key, Value>(index: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const values = index.get(key);
  if (values === undefined) index.set(key, new Set([value]));
  else values.add(value);
}

function remove<Key, Value>(index: Map<Key, Set<Value>>, key: Key, value: Value): boolean {
  const values = index.get(key);
  if (values?.delete(value) !== true) return false;
  if (values.size === 0) index.delete(key);
  return true;
}

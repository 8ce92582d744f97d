import type { Observable } from 'rxjs';
import type { Connection } from '../../core/connection.js';
import { broadcast } from './broadcast.js';
import type { BroadcastOptions, BroadcastResult, Recipient } from './broadcast.js';
import { checkGroupName } from './groups.js';
import type { Groups } from './groups.js';

/**
 * The connections that have joined a group of a server. It is looked up anew at each use, so it may
 * be kept, and asked for before anybody has joined.
 */
export class Group {
  readonly name: string;
  readonly #groups: Pick<Groups<Recipient>, 'membersOf'>;
  readonly #unseen: (error: unknown) => void;

  /** @internal By `server.group(name)`, or `context.group(name)`. */
  constructor(
    name: string,
    groups: Pick<Groups<Recipient>, 'membersOf'>,
    unseen: (error: unknown) => void,
  ) {
    checkGroupName(name);
    this.name = name;
    this.#groups = groups;
    this.#unseen = unseen;
  }

  /** The connections that are in the group now, those aside that are not accepted yet. */
  get connections(): Connection[] {
    return Array.from(this.#groups.membersOf(this.name))
      .filter(({ open }) => open)
      .map(({ connection }) => connection);
  }

  /** As `server.broadcast`, to the connections of this group. */
  broadcast(
    pattern: string | object,
    data: unknown,
    options: BroadcastOptions = {},
  ): Observable<BroadcastResult> {
    const members = this.#groups.membersOf(this.name);
    return broadcast(members, { pattern, data }, options, this.#unseen);
  }
}

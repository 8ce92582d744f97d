/** What is looked at now and then. */
export interface Patrolled {
  check(now: number): void;
}

const SHORTEST_ROUND = 10;
const LONGEST_ROUND = 1000;

/**
 * Looks at all connections of a connector now and then, with one timer for all of them: starting and
 * stopping one for each message would cost more than the message.
 */
export class Patrol {
  readonly #all: Iterable<Patrolled>;
  readonly #round: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param timeouts what is watched for, in ms, 0 being never: each is noticed at most a quarter late */
  constructor(all: Iterable<Patrolled>, timeouts: readonly number[]) {
    this.#all = all;
    const shortest = Math.min(...timeouts.filter((timeout) => timeout > 0));
    this.#round = Math.min(LONGEST_ROUND, Math.max(SHORTEST_ROUND, shortest / 4));
  }

  /** Begins, unless it has begun. It does not keep the process alive: the connections do. */
  start(): void {
    this.#timer ??= setInterval(() => this.#walk(), this.#round).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #walk(): void {
    const now = performance.now();
    for (const each of this.#all) each.check(now);
  }
}

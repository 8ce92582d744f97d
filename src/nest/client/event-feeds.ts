import { Observable, Subject } from 'rxjs';
import { showPattern } from '../packets/pattern.js';

/**
 * The events that a server sends to its client, for those who have subscribed to their pattern, and
 * for nobody else: nothing is kept.
 */
export class EventFeeds {
  readonly #routeOf: (pattern: unknown) => string;
  readonly #feeds = new Map<string, Subject<unknown>>();

  /** @param routeOf the text that is the same for equal patterns: Nest's */
  constructor(routeOf: (pattern: unknown) => string) {
    this.#routeOf = routeOf;
  }

  /** The data of the events of a pattern, from when it is subscribed to until {@link complete}. */
  of(pattern: unknown): Observable<unknown> {
    return new Observable((subscriber) => {
      const route = this.#routeOf(pattern);
      const feed = this.#feeds.get(route) ?? new Subject();
      this.#feeds.set(route, feed);
      const subscription = feed.subscribe(subscriber);
      return () => {
        subscription.unsubscribe();
        if (!feed.observed && this.#feeds.get(route) === feed) this.#feeds.delete(route);
      };
    });
  }

  /** An event has come. */
  deliver(pattern: unknown, data: unknown): void {
    if (this.#feeds.size > 0) this.#find(pattern)?.next(data);
  }

  /** Nothing more comes for those who have subscribed. */
  complete(): void {
    const feeds = [...this.#feeds.values()];
    this.#feeds.clear();
    for (const feed of feeds) feed.complete();
  }

  /** As Nest finds handlers: a text may be the JSON of a pattern. */
  #find(pattern: unknown): Subject<unknown> | undefined {
    const text = showPattern(pattern);
    if (text.length > MOST_PATTERN_CHARACTERS) return undefined;
    return this.#feeds.get(text) ?? this.#feeds.get(this.#routeOf(parsed(text)));
  }
}

/** The value of a text that is JSON, otherwise the text. Only what may be JSON is tried: to fail takes long. */
function parsed(text: string): unknown {
  if (!MAY_BE_JSON.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const MAY_BE_JSON = /^\s*[{["\d-]/;

/** As for handlers: nobody has longer ones, and peers choose them. */
const MOST_PATTERN_CHARACTERS = 4096;

import type { MessageHandler } from '@nestjs/microservices';

/** Peers choose the patterns, so what is remembered of them is bounded. */
const MOST_ROUTES = 1024;
const MOST_ROUTE_CHARACTERS = 256;

/**
 * Finds the handler of a pattern, and remembers: Nest's own look-up parses the pattern as JSON,
 * which for a plain string throws, each time.
 */
export class Router {
  readonly #routes = new Map<string, MessageHandler | null>();
  readonly #lookUp: (pattern: string) => MessageHandler | null;

  constructor(lookUp: (pattern: string) => MessageHandler | null) {
    this.#lookUp = lookUp;
  }

  find(pattern: string): MessageHandler | null {
    const known = this.#routes.get(pattern);
    if (known !== undefined) return known;
    const handler = this.#lookUp(pattern);
    if (pattern.length <= MOST_ROUTE_CHARACTERS) {
      if (this.#routes.size >= MOST_ROUTES) this.#routes.clear();
      this.#routes.set(pattern, handler);
    }
    return handler;
  }

  /** Forgets what it knows: a handler was added. */
  clear(): void {
    this.#routes.clear();
  }
}

import type { MessageHandler } from '@nestjs/microservices';
import { ownText } from '../packets/own-text.js';

/** Peers choose the patterns, so what is remembered of them is bounded. */
const MOST_ROUTES = 1024;
const MOST_ROUTE_CHARACTERS = 256;
/** Nobody has handlers for longer ones, and looking for them takes long: as JSON, for one. */
const MOST_PATTERN_CHARACTERS = 4096;

/**
 * Finds the handler of a pattern, and remembers: Nest's own look-up parses the pattern as JSON,
 * which for a plain string throws, each time.
 */
export class Router {
  readonly #routes = new Map<string, MessageHandler>();
  readonly #lookUp: (pattern: string) => MessageHandler | null;

  constructor(lookUp: (pattern: string) => MessageHandler | null) {
    this.#lookUp = lookUp;
  }

  find(pattern: string): MessageHandler | null {
    const known = this.#routes.get(pattern);
    if (known !== undefined) return known;
    if (pattern.length > MOST_PATTERN_CHARACTERS) return null;
    const handler = this.#lookUp(pattern);
    // Unknown patterns are not remembered: they would push out the known ones.
    if (handler !== null && pattern.length <= MOST_ROUTE_CHARACTERS) {
      if (this.#routes.size >= MOST_ROUTES) this.#routes.clear();
      this.#routes.set(ownText(pattern), handler);
    }
    return handler;
  }

  /** Forgets what it knows: a handler was added. */
  clear(): void {
    this.#routes.clear();
  }
}

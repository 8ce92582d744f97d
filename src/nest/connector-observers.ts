import type { ConnectorEvent } from '../core/events.js';
import type { ErrorHandler } from '../core/report.js';
import { runReported } from '../core/report.js';

/** What `on` of a server or client reports: every event of its connector, by type. */
export type ObservedEvents<T> = {
  [Type in ConnectorEvent<T>['type']]: (event: Extract<ConnectorEvent<T>, { type: Type }>) => void;
};

/** Those who were registered with `on`. */
export class ConnectorObservers<T> {
  readonly #observers = new Map<string, ((event: never) => void)[]>();
  readonly #onError: ErrorHandler;

  /** @param onError told what observers throw */
  constructor(onError: ErrorHandler) {
    this.#onError = onError;
  }

  add<Type extends keyof ObservedEvents<T>>(type: Type, observer: ObservedEvents<T>[Type]): void {
    this.#observers.set(type, [...(this.#observers.get(type) ?? []), observer]);
  }

  observe(event: ConnectorEvent<T>): void {
    if (this.#observers.size === 0) return;
    for (const observer of this.#observers.get(event.type) ?? []) {
      runReported(this.#onError, observer, event as never);
    }
  }
}

import type { MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import { PikeError } from '../../core/errors.js';
import { RemoteConnectEvent } from '../../core/events.js';
import type { ConnectorEvent } from '../../core/events.js';
import type { LifecycleType } from '../lifecycle.js';
import type { PikeContext } from '../pike-context.js';

/** An event that is not a message. */
export type LifecycleEvent<T> = Exclude<ConnectorEvent<T>, { type: 'messageReceived' }>;

/**
 * The handlers of lifecycle events, in a map of their own that no packet from the wire consults.
 */
export class LifecycleHandlers<T> {
  readonly #handlers = new Map<LifecycleType, MessageHandler[]>();
  readonly #failed: (error: unknown, type: LifecycleType) => void;

  /** @param failed told what handlers throw */
  constructor(failed: (error: unknown, type: LifecycleType) => void) {
    this.#failed = failed;
  }

  add(type: LifecycleType, handler: MessageHandler): void {
    this.#handlers.set(type, [...(this.#handlers.get(type) ?? []), handler]);
  }

  has(type: LifecycleType): boolean {
    return this.#handlers.has(type);
  }

  /** Calls every handler of the event. @returns whether all succeeded */
  async call(event: LifecycleEvent<T>, context: PikeContext<T>): Promise<boolean> {
    const handlers = this.#handlers.get(event.type) ?? [];
    const results = await Promise.allSettled(
      handlers.map((handler) => finish(() => handler(event, context))),
    );
    let succeeded = true;
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      succeeded = false;
      this.#failed(result.reason, event.type);
    }
    return succeeded;
  }

  /**
   * Asks the handlers whether a peer may stay. Their `finishAccept` takes effect only once all of
   * them have succeeded: fail closed.
   * @returns how to accept the peer, or `undefined` to refuse it
   */
  async decide(
    event: RemoteConnectEvent,
    context: PikeContext<T>,
  ): Promise<{ separate: boolean } | undefined> {
    if (!this.has(event.type)) return { separate: false };
    let accepted: { separate: boolean } | undefined;
    let decided = false;
    const asked = new RemoteConnectEvent(event.connection, {
      finishAccept: (separate) => {
        if (decided) this.#failed(acceptedLate(), event.type);
        else accepted = { separate };
        return !decided;
      },
      get accepted() {
        return event.accepted;
      },
    });
    const succeeded = await this.call(asked, context);
    decided = true;
    return succeeded ? accepted : undefined;
  }
}

/** A mistake in a handler, but one that must not take the process down when a peer comes. */
function acceptedLate(): PikeError {
  return new PikeError(
    'PIKE_ERR_ACCEPT_FINISHED',
    'finishAccept() was called after the RemoteConnect handlers had returned: the peer is refused. ' +
      'Await what the decision depends on in the handler.',
  );
}

/** Waits for a handler: its promise, and the stream that it may resolve with. */
async function finish(call: () => unknown): Promise<void> {
  const value = await call();
  if (isObservable(value)) {
    await lastValueFrom(value, { defaultValue: undefined });
  }
}

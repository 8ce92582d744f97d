import { nextTurn } from '../handling/turn.js';
import type { Finish } from '../../core/finish.js';
import type { ShutdownWay } from '../shutdown-options.js';

/** What of a server takes part in its end. */
export interface Drainable {
  /** From now on no peer is accepted, requests are answered with an error, and events are not handled. */
  refuse(): Promise<void>;
  /** Resolves when no handler runs, after so many ms at the latest. */
  handlersIdle(ms: number): Promise<unknown>;
  /** Stops what still goes on. @param tell whether those who wait for it are told: there is time for it */
  interrupt(tell: boolean): void;
  /** Resolves when what was given so far has passed the serializer, after so many ms at the latest. */
  serialized(ms: number): Promise<unknown>;
  /** Ends every connection; their last events have been delivered when it resolves. */
  endConnections(how: Finish): Promise<void>;
  /** Resolves when no handler of a connection's events runs, after so many ms at the latest. */
  lastEventsHandled(ms: number): Promise<unknown>;
}

/**
 * How long, at least, the handlers of the last events may take: what was not sent is handed to them
 * when the deadline has passed, and they must have the time to keep it.
 */
export const LAST_EVENTS_MS = 1_000;

/** Ends a server: what it has begun is finished, as far as the way and its deadline allow. */
export async function drain(server: Drainable, { mode, deadline }: ShutdownWay): Promise<void> {
  const ends = performance.now() + deadline;
  const left = (): number => Math.max(0, Math.ceil(ends - performance.now()));
  const graceful = mode !== 'now';
  await server.refuse();
  if (graceful) await server.handlersIdle(left());
  // What still streams would go on for ever, as far as anybody knows.
  server.interrupt(graceful);
  if (graceful) await server.serialized(left());
  // To finishMessages, what was given in this turn is not begun yet. Let go out what can: the
  // handlers were waited for because of their replies.
  if (graceful) await nextTurn();
  await server.endConnections({ [mode]: true, deadline: left() } as Finish);
  await server.lastEventsHandled(graceful ? Math.max(left(), LAST_EVENTS_MS) : LAST_EVENTS_MS);
}

import { once } from './once.js';

/**
 * Calls a handler.
 * @param ended to be called when everything that it has begun is over
 * @returns resolves when the handler has returned
 */
export type HandlerRun = (ended: () => void) => Promise<void> | undefined;

/**
 * Called with each message before its handler: to run that, call `done`. As Nest's own, which has no
 * name there; it may be asynchronous.
 */
export type ProcessingStartHook = (
  transportId: symbol,
  context: unknown,
  done: () => Promise<unknown>,
) => unknown;

/** Called once everything that a message has set off is over. */
export type ProcessingEndHook = (transportId: symbol, context: unknown) => unknown;

/** What is to happen between processing hooks. */
export interface Processing {
  readonly run: HandlerRun;
  /** Told what the start hook throws: the handler may have run all the same. */
  readonly failed: (thrown: unknown) => void;
  /** Told if the start hook has returned, or resolved, and not run the handler; it may still do so. */
  readonly notRun?: () => void;
}

/** Nest's processing hooks, for one message. */
export interface ProcessingHooks {
  /** Calls `run` back, at once or later; may return a promise. */
  start(run: () => Promise<void>): unknown;
  /** May return a promise. */
  end(): unknown;
}

/**
 * Runs a handler between processing hooks. Hooks are the application's: whatever they do, the
 * handler runs once at most, the end hook once if it has, and what they throw is reported.
 * @param report told what the end hook throws
 */
export async function runHooked(
  hooks: ProcessingHooks,
  { run, failed, notRun }: Processing,
  report: (thrown: unknown) => void,
): Promise<void> {
  let begun = false;
  const end = once(() => void runEndHook(hooks, report));
  try {
    await hooks.start(async () => {
      if (begun) return;
      begun = true;
      await run(end);
    });
  } catch (thrown) {
    failed(thrown);
  }
  if (!begun) notRun?.();
}

async function runEndHook(
  hooks: ProcessingHooks,
  report: (thrown: unknown) => void,
): Promise<void> {
  try {
    await hooks.end();
  } catch (thrown) {
    report(thrown);
  }
}

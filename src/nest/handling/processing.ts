/**
 * Calls a handler.
 * @param ended to be called when everything that it has begun is over
 * @returns resolves when the handler has returned
 */
export type HandlerRun = (ended: () => void) => Promise<void> | undefined;

/** Nest's processing hooks, for one message. */
export interface ProcessingHooks {
  /** Calls `run` back, at once or later; may return a promise. */
  start(run: () => Promise<void>): unknown;
  end(): void;
}

/**
 * Runs a handler between processing hooks. Hooks are the application's: whatever they do, the
 * handler runs once at most, the end hook once at most, and what they throw is reported.
 * @param failed told what the start hook throws: the handler may not have run
 * @param report told what the end hook throws
 */
export function runHooked(
  hooks: ProcessingHooks,
  run: HandlerRun,
  failed: (thrown: unknown) => void,
  report: (thrown: unknown) => void,
): void {
  let begun = false;
  let open = true;
  const ended = (): void => {
    if (!open) return;
    open = false;
    try {
      hooks.end();
    } catch (thrown) {
      report(thrown);
    }
  };
  const start = async (): Promise<void> => {
    await hooks.start(async () => {
      if (begun) return;
      begun = true;
      await run(ended);
    });
  };
  start().catch(failed);
}

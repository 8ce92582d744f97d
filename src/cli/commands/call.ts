import { CommandError } from '../failure.js';
import type { CommandContext } from '../command-context.js';
import { onAbort } from '../interrupt.js';
import { openClient } from '../open-client.js';
import { readMessage } from '../read-data.js';
import type { TypedMessage } from '../read-data.js';
import { showValue } from '../show-value.js';
import { isPikeError } from '../../core/index.js';
import { readTarget } from '../target.js';
import type { TargetOptions } from '../target.js';

/** The options of `call` and `emit`. */
export interface CallOptions extends TargetOptions {
  to: string;
  timeout: number;
  dataFile?: string;
}

/** Sends a request, and prints each reply as a line of JSON, until the last or an interrupt. */
export async function call(
  words: readonly string[],
  options: CallOptions,
  { interrupt }: CommandContext,
): Promise<void> {
  const target = await readTarget(options.to, options);
  const typed: TypedMessage = { words, dataFile: options.dataFile };
  const { pattern, data } = await readMessage(typed, target.protocol);
  const { signal } = interrupt;
  const client = await openClient(target, { timeout: options.timeout, reply: true, signal });
  try {
    await new Promise<void>((resolve, reject) => {
      const replies = client.send(pattern, data).subscribe({
        next: (value) => process.stdout.write(`${showValue(value)}\n`),
        error: (error: unknown) => reject(isPikeError(error) ? error : remoteError(error)),
        complete: resolve,
      });
      onAbort(signal, () => {
        replies.unsubscribe();
        resolve();
      });
    });
  } finally {
    // Only now has a cancellation been sent.
    await client.close();
  }
}

/** The server has answered with an error. */
export function remoteError(error: unknown): CommandError {
  const shown = error instanceof Error ? error.message : showValue(error);
  return new CommandError('REMOTE_ERROR', shown, { cause: error });
}

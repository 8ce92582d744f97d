import { lastValueFrom } from 'rxjs';
import type { CommandContext } from '../command-context.js';
import { openClient } from '../open-client.js';
import { readMessage } from '../read-data.js';
import { readTarget } from '../target.js';
import type { CallOptions } from './call.js';

/** Sends an event. Resolves when the system has taken all of it, and the connection has ended. */
export async function emit(
  words: readonly string[],
  options: CallOptions,
  { interrupt }: CommandContext,
): Promise<void> {
  const target = await readTarget(options.to, options);
  const { pattern, data } = await readMessage(
    { words, dataFile: options.dataFile },
    target.protocol,
  );
  const { signal } = interrupt;
  const client = await openClient(target, { timeout: options.timeout, reply: false, signal });
  const giveUp = (): void => void client.close();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    await lastValueFrom(client.emit(pattern, data), { defaultValue: undefined });
  } finally {
    signal.removeEventListener('abort', giveUp);
    await client.close();
  }
}

import { setTimeout as wait } from 'node:timers/promises';
import type { FileProgress } from 'nestjs-pike/converters';
import type { Endpoint } from 'nestjs-pike/core';
import type { Display } from './display.js';
import { formatBytes, Progress } from './progress.js';
import { Sender } from './sender.js';
import type { OutgoingFile, Outcome } from './sender.js';

export interface TransferOptions {
  readonly endpoint: Endpoint;
  /** Over how many connections files are sent at once. */
  readonly connections: number;
  /** How often to connect, at most, in order to send what the server has not got yet. */
  readonly attempts: number;
  /** Gives up when aborted. */
  readonly signal: AbortSignal;
}

/** Between two attempts, in ms. */
const PAUSE_MS = 1_000;

/**
 * Sends files until the server has all of them. What a connection that was cut off has returned, and
 * what no receipt came for, is sent again over another: the server keeps neither parts nor duplicates.
 * @returns the files that the server has not got
 */
export async function transfer(
  files: readonly OutgoingFile[],
  options: TransferOptions,
  display: Display,
): Promise<readonly OutgoingFile[]> {
  const failed: OutgoingFile[] = [];
  let left = files;
  for (let attempt = 1; left.length > 0; attempt++) {
    const outcomes = await attemptTo(left, options, display);
    left = left.filter((file) => outcomes.get(file)?.fate !== 'stored');
    failed.push(...left.filter((file) => outcomes.get(file)?.fate === 'rejected'));
    left = left.filter((file) => !failed.includes(file));
    if (left.length === 0 || attempt === options.attempts || options.signal.aborted) break;
    display.line(`Sending ${left.length} of ${files.length} files again ...`);
    await wait(PAUSE_MS, undefined, { signal: options.signal }).catch(() => undefined);
    if (options.signal.aborted) break;
  }
  return [...failed, ...left];
}

/** Sends files over connections of their own. @returns what became of those of which something is known */
async function attemptTo(
  files: readonly OutgoingFile[],
  { endpoint, connections, signal }: TransferOptions,
  display: Display,
): Promise<Map<OutgoingFile, Outcome>> {
  const outcomes = new Map<OutgoingFile, Outcome>();
  const total = files.reduce((bytes, { size }) => bytes + size, 0);
  const progress = new Progress(total, performance.now());
  const advanceOf = createMeter();
  const sender = new Sender({
    progress(file) {
      progress.advance(advanceOf(file), performance.now());
      display.show(progress);
    },
    settled(file, outcome) {
      outcomes.set(file, outcome);
      if (outcome.fate === 'stored') {
        const { storedAs, size, sha256 } = outcome.receipt;
        display.line(
          `${file.path} is stored as ${storedAs}: ${formatBytes(size)}, SHA-256 ${sha256}`,
        );
      } else if (outcome.fate === 'rejected') {
        display.line(`${file.path} cannot be sent: ${outcome.error.message}`);
      }
    },
    cutOff: (error) =>
      display.line(`The connection was cut off${error ? `: ${error.message}` : ''}`),
  });
  const stop = (): void => void sender.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await sender.connect(endpoint, Math.min(connections, files.length));
    await sender.send(files);
  } catch (error) {
    display.line((error as Error).message);
  } finally {
    signal.removeEventListener('abort', stop);
    await sender.close();
    display.clear();
  }
  return outcomes;
}

/** How many bytes have come on since the last report about the same file. */
function createMeter(): (file: FileProgress) => number {
  const reported = new Map<string, number>();
  return ({ connection, name, bytes, size }) => {
    const key = `${connection.id} ${name}`;
    const before = reported.get(key) ?? 0;
    // The next file of a connection may have the same name.
    if (bytes === size) reported.delete(key);
    else reported.set(key, bytes);
    return bytes - before;
  };
}

import { basename } from 'node:path';
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

/** The files of which the server has not said that it has stored them. */
export interface NotStored {
  /** It has not got them. */
  readonly missing: readonly OutgoingFile[];
  /** They were sent, and no receipt came: it may have them. */
  readonly inDoubt: readonly OutgoingFile[];
}

/** Between two attempts, in ms. */
const PAUSE_MS = 1_000;

/**
 * Sends files until the server has all of them. What a connection that was cut off has returned, and
 * what no receipt came for, is sent again over another: the server keeps neither parts nor duplicates.
 */
export async function transfer(
  files: readonly OutgoingFile[],
  options: TransferOptions,
  display: Display,
): Promise<NotStored> {
  const stored = new Set<OutgoingFile>();
  // Until there is a receipt: that a file was not sent a second time says nothing about the first.
  const inDoubt = new Set<OutgoingFile>();
  let left = files;
  for (let attempt = 1; left.length > 0; attempt++) {
    const outcomes = await attemptTo(left, options, display);
    for (const [file, { fate }] of outcomes) {
      if (fate === 'stored') stored.add(file);
      if (fate === 'in doubt') inDoubt.add(file);
    }
    left = left.filter((file) => !stored.has(file) && outcomes.get(file)?.fate !== 'rejected');
    if (left.length === 0 || attempt === options.attempts || options.signal.aborted) break;
    display.problem(`Sending ${left.length} of ${files.length} files again ...`);
    await wait(PAUSE_MS, undefined, { signal: options.signal }).catch(() => undefined);
    if (options.signal.aborted) break;
  }
  const notStored = files.filter((file) => !stored.has(file));
  return {
    missing: notStored.filter((file) => !inDoubt.has(file)),
    inDoubt: notStored.filter((file) => inDoubt.has(file)),
  };
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
        const renamed = storedAs === basename(file.path) ? '' : ` as ${storedAs}`;
        display.line(`${sha256}  ${file.path}${renamed}  ${formatBytes(size)}`);
      } else if (outcome.fate === 'rejected') {
        display.problem(`${file.path} cannot be sent: ${outcome.error.message}`);
      }
    },
    cutOff(error) {
      if (signal.aborted) return;
      const why = error?.message ?? 'the server ended it, and its log may say why';
      display.problem(`A connection was cut off: ${why}`);
    },
  });
  const stop = (): void => void sender.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await sender.connect(endpoint, Math.min(connections, files.length));
    await sender.send(files);
  } catch (error) {
    display.problem((error as Error).message);
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

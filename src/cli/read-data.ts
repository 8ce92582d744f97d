import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { DataFormat } from './protocols/data-format.js';
import type { Protocol } from './protocols/protocol.js';
import { usageError } from './failure.js';

/** What is to be sent: with a pattern, if the protocol has packets. */
export interface Message {
  pattern: unknown;
  data: unknown;
}

/** What the arguments and options say of a message, as they are typed. */
export interface TypedMessage {
  /** The pattern, unless the protocol has none, and the data, unless a file has it. */
  words: readonly string[];
  dataFile?: string;
}

/** Of messages that have no pattern; it is not sent. */
const NO_PATTERN = 'message';

/**
 * Reads a message: its data from an argument, a file, or, where the argument is `-`, from standard
 * input. Without any, the data of a packet is an empty object.
 * @throws CommandError (rejection) `USAGE`
 */
export async function readMessage(
  { words, dataFile }: TypedMessage,
  { hasPackets, format }: Protocol,
): Promise<Message> {
  const [pattern, ...rest] = hasPackets ? words : [NO_PATTERN, ...words];
  if (pattern === undefined) throw usageError('The pattern is missing: what is to be called?');
  if (rest.length + (dataFile === undefined ? 0 : 1) > 1) {
    throw usageError(
      hasPackets
        ? 'Give a pattern and the data once: as one argument, in quotes, or as --data-file.'
        : 'This converter has messages without a pattern: give the data alone, as one argument or as --data-file.',
    );
  }
  const data = await readData(rest[0], dataFile, format);
  if (data === undefined && !hasPackets) {
    throw usageError(`The data is missing: ${format.description}.`);
  }
  if (data === null && hasPackets) {
    throw usageError('Nest has no requests and events whose data is null: send something else.');
  }
  return { pattern: hasPackets ? parsePattern(pattern) : pattern, data: data ?? {} };
}

async function readData(
  argument: string | undefined,
  dataFile: string | undefined,
  format: DataFormat,
): Promise<unknown> {
  if (dataFile !== undefined) return format.parseFile(await readDataFile(dataFile));
  if (argument === '-') return format.parseFile(await buffer(process.stdin));
  return argument === undefined ? undefined : format.parse(argument);
}

async function readDataFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw usageError(`--data-file cannot be read: ${(cause as Error).message}.`, cause);
  }
}

/** A pattern is a text, or, as Nest has them too, an object, in JSON: `{"cmd":"sum"}`. */
export function parsePattern(text: string): unknown {
  if (!text.startsWith('{')) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw usageError(`A pattern that begins with { must be JSON; got: ${text}`, cause);
  }
}

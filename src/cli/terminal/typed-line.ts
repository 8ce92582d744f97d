import { usageError } from '../failure.js';
import type { Protocol } from '../protocols/protocol.js';
import { readMessage } from '../read-data.js';
import type { Message } from '../read-data.js';

/** What a line of `connect` asks for. */
export type Order =
  { do: 'nothing' | 'help' | 'exit' | 'cancel' } | ({ do: 'call' | 'emit' } & Message);

/** What `.help` shows. */
export function helpFor({ hasPackets, format }: Protocol): readonly string[] {
  return [
    ...(hasPackets
      ? [
          '<pattern> [data]         sends a request, and shows its replies as they come',
          '.emit <pattern> [data]   sends an event',
          '.cancel                  cancels the requests that are not answered (Ctrl-C)',
        ]
      : ['<data>                   sends a message, and shows what comes']),
    '.help                    shows this',
    '.exit                    leaves (Ctrl-D)',
    `Data is ${format.description}.`,
  ];
}

/** Reads a line. @throws CommandError (rejection) `USAGE` */
export async function readOrder(line: string, protocol: Protocol): Promise<Order> {
  const text = line.trim();
  const [, command, rest = ''] = /^\.([a-z]+)(?:\s+(.*))?$/s.exec(text) ?? [];
  if (text === '') return { do: 'nothing' };
  if (command === undefined) return messageOrder('call', text, protocol);
  switch (command) {
    case 'help':
    case 'exit':
    case 'cancel':
      return { do: command };
    case 'emit':
      return messageOrder('emit', rest, protocol);
    default:
      throw usageError(`There is no .${command}: .help shows what there is.`);
  }
}

async function messageOrder(
  kind: 'call' | 'emit',
  text: string,
  protocol: Protocol,
): Promise<Order> {
  const words = protocol.hasPackets ? splitPattern(text) : [text];
  // A dash is for commands whose standard input is not the conversation.
  if (words.at(-1) === '-') throw usageError('The data cannot be read from standard input here.');
  return { do: kind, ...(await readMessage({ words }, protocol)) };
}

/** The pattern of a line, which may be an object in JSON, and the data behind it, if there is any. */
export function splitPattern(text: string): string[] {
  for (let end = text.indexOf('}'); text.startsWith('{') && end !== -1;) {
    const pattern = text.slice(0, end + 1);
    if (isJson(pattern)) return filled(pattern, text.slice(end + 1));
    end = text.indexOf('}', end + 1);
  }
  const [pattern = ''] = text.split(/\s/, 1);
  return filled(pattern, text.slice(pattern.length));
}

function filled(...given: string[]): string[] {
  return given.map((word) => word.trim()).filter((word) => word !== '');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

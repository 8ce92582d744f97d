import { PikeError } from '../core/errors.js';

const SPACE = 0x20;
const TAB = 0x09;
const BACKSLASH = 0x5c;
const DOUBLE = 0x22;
const SINGLE = 0x27;
const X = 0x78;
/** What stands for which byte behind a backslash, between double quotes. */
const ESCAPES: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09, b: 0x08, a: 0x07 };

/**
 * The words of an inline command, such as `SET greeting "hello world"`, by the rules of Redis's own
 * `sdssplitargs`: words are separated by blanks; between double quotes `\n`, `\r`, `\t`, `\b`, `\a` and `\x41`
 * stand for bytes, and `\"` for a quote; between single quotes only `\'` does.
 * @throws PikeError `PIKE_ERR_MALFORMED` for a quote that is not closed, or that a word goes on behind
 */
export function splitInlineCommand(line: Uint8Array): Buffer[] {
  const words: Buffer[] = [];
  let at = 0;
  for (;;) {
    while (isBlank(line[at])) at += 1;
    if (at >= line.length) return words;
    const bytes: number[] = [];
    at = readWord(line, at, bytes);
    words.push(Buffer.from(bytes));
  }
}

/** @returns where the word ends */
function readWord(line: Uint8Array, start: number, bytes: number[]): number {
  let at = start;
  while (at < line.length && !isBlank(line[at])) {
    const byte = line[at] as number;
    at += 1;
    if (byte !== DOUBLE && byte !== SINGLE) bytes.push(byte);
    else {
      at = readQuoted(line, at, byte, bytes);
      if (at < line.length && !isBlank(line[at])) throw unbalanced();
    }
  }
  return at;
}

/** @returns where the byte behind the closing quote is */
function readQuoted(line: Uint8Array, start: number, quote: number, bytes: number[]): number {
  let at = start;
  while (at < line.length) {
    const byte = line[at] as number;
    if (byte === quote) return at + 1;
    const next = line[at + 1];
    if (byte !== BACKSLASH || next === undefined || (quote === SINGLE && next !== SINGLE)) {
      bytes.push(byte);
      at += 1;
    } else if (quote === DOUBLE && next === X && isHex(line[at + 2]) && isHex(line[at + 3])) {
      bytes.push(Number.parseInt(String.fromCharCode(...line.subarray(at + 2, at + 4)), 16));
      at += 4;
    } else {
      bytes.push(quote === DOUBLE ? (ESCAPES[String.fromCharCode(next)] ?? next) : next);
      at += 2;
    }
  }
  throw unbalanced();
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}

function isHex(byte: number | undefined): boolean {
  return byte !== undefined && /[\da-f]/i.test(String.fromCharCode(byte));
}

function unbalanced(): PikeError {
  return new PikeError('PIKE_ERR_MALFORMED', 'An inline command has unbalanced quotes.');
}

import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { PikeError } from '../core/errors.js';
import { isLatin1 } from './latin1-payload.js';
import type { RespValue } from './resp-value.js';
import { isRespError, isRespSimpleString } from './resp-value.js';

const MOST_INTEGER = 2n ** 63n - 1n;
const LEAST_INTEGER = -(2n ** 63n);

/**
 * Writes a value as RESP2.
 * @param depth how deep arrays may nest in it
 * @throws PikeError `PIKE_ERR_SERIALIZER` for what RESP2 cannot say
 */
export function writeRespValue(
  value: RespValue,
  writer: ByteWriter,
  encoding: 'utf8' | 'latin1',
  depth: number,
): void {
  if (value === null) writer.writeString('$-1\r\n', 'latin1');
  else if (typeof value === 'string') writeText(value, writer, encoding);
  else if (typeof value === 'number' || typeof value === 'bigint') writeInteger(value, writer);
  else if (value instanceof Uint8Array) {
    writer.writeString(`$${value.length}\r\n`, 'latin1').writeBytes(value);
    writer.writeString('\r\n', 'latin1');
  } else if (Array.isArray(value)) {
    if (depth === 0) throw unsendable('an array that nests deeper than maxDepth');
    writer.writeString(`*${value.length}\r\n`, 'latin1');
    // By index: a hole in an array must not be left out of what is counted.
    for (let i = 0; i < value.length; i += 1) {
      writeRespValue(value[i] as RespValue, writer, encoding, depth - 1);
    }
  } else if (isRespError(value)) {
    // As Redis does: an error quotes what a client has sent, which may have line ends in it.
    writer.writeString(`-${value.message.replaceAll(/[\r\n]/g, ' ')}\r\n`);
  } else if (isRespSimpleString(value)) {
    if (/[\r\n]/.test(value.text)) throw unsendable('a simple string with a line end in it');
    writer.writeString(`+${value.text}\r\n`, encoding);
  } else throw unsendable(`a value of the type ${typeof value}`);
}

function writeText(text: string, writer: ByteWriter, encoding: 'utf8' | 'latin1'): void {
  if (encoding === 'latin1' && !isLatin1(text)) {
    throw unsendable('a text with characters that are not Latin-1');
  }
  writer.writeString(`$${Buffer.byteLength(text, encoding)}\r\n`, 'latin1');
  writer.writeString(text, encoding).writeString('\r\n', 'latin1');
}

function writeInteger(value: number | bigint, writer: ByteWriter): void {
  const fits =
    typeof value === 'number'
      ? Number.isSafeInteger(value)
      : value >= LEAST_INTEGER && value <= MOST_INTEGER;
  if (!fits) throw unsendable(`the number ${value}, which is no integer of 64 bits,`);
  writer.writeString(`:${value}\r\n`, 'latin1');
}

function unsendable(what: string): PikeError {
  return new PikeError(
    'PIKE_ERR_SERIALIZER',
    `RESP2 cannot carry ${what}: send texts, bytes, integers, null, arrays, RespSimpleString or RespError.`,
  );
}

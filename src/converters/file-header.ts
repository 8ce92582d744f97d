import { PikeError } from '../core/errors.js';
import { CHECKSUMS } from './file-checksum.js';
import type { FileChecksum } from './file-checksum.js';
import { MOST_NAME_BYTES, nameProblem } from './file-name.js';
import { decodeUtf8 } from './utf8.js';

/** What stands in front of a file's content. See docs/file-protocol.md. */
export interface FileHeader {
  readonly name: string;
  /** How many bytes the content has. */
  readonly size: number;
  readonly checksum: FileChecksum;
}

/** "PKF" and the version, 1. */
const MAGIC = Buffer.from('PKF1');
const CHECKSUM_AT = 4;
const NAME_LENGTH_AT = 5;
const SIZE_AT = 6;
const NAME_AT = 14;

/** The most bytes that a header takes. */
export const MOST_HEADER_BYTES = NAME_AT + MOST_NAME_BYTES;

/** Writes a header, whose name must be allowed, at the beginning of `target`; returns its length. */
export function writeHeader(header: FileHeader, target: Buffer): number {
  const nameLength = target.write(header.name, NAME_AT);
  MAGIC.copy(target);
  target.writeUInt8(CHECKSUMS[header.checksum].id, CHECKSUM_AT);
  target.writeUInt8(nameLength, NAME_LENGTH_AT);
  target.writeBigUInt64BE(BigInt(header.size), SIZE_AT);
  return NAME_AT + nameLength;
}

/**
 * Reads the header that `data` begins with, or returns `undefined` if not all of it is there. Each
 * field is judged as soon as it has arrived.
 * @throws PikeError `PIKE_ERR_MALFORMED`, `PIKE_ERR_MESSAGE_TOO_LARGE`
 */
export function readHeader(
  data: Buffer,
  maxFileBytes: number,
): { header: FileHeader; bytes: number } | undefined {
  const magic = Math.min(data.length, MAGIC.length);
  if (!data.subarray(0, magic).equals(MAGIC.subarray(0, magic))) {
    throw malformed('What arrived is no file: it does not begin with "PKF1".');
  }
  const id = data[CHECKSUM_AT];
  if (id === undefined) return undefined;
  const checksum = checksumOf(id);
  const nameLength = data[NAME_LENGTH_AT];
  if (nameLength === undefined) return undefined;
  if (nameLength === 0) throw malformed('A file has no name.');
  if (data.length < NAME_AT) return undefined;
  const size = data.readBigUInt64BE(SIZE_AT);
  if (size > maxFileBytes) throw fileTooLarge(size, maxFileBytes);
  const bytes = NAME_AT + nameLength;
  if (data.length < bytes) return undefined;
  const name = decodeUtf8(data, NAME_AT, bytes);
  const problem = nameProblem(name);
  if (problem !== undefined) throw malformed(`A file's name ${problem}.`);
  return { header: { name, size: Number(size), checksum }, bytes };
}

/** The error for a file over `maxFileBytes`. */
export function fileTooLarge(size: bigint, maxFileBytes: number): PikeError {
  return new PikeError(
    'PIKE_ERR_MESSAGE_TOO_LARGE',
    `A file has ${size} bytes, more than ${maxFileBytes}. Raise maxFileBytes if that is expected.`,
  );
}

function checksumOf(id: number): FileChecksum {
  if (id === CHECKSUMS.crc32.id) return 'crc32';
  if (id === CHECKSUMS.sha256.id) return 'sha256';
  throw malformed(`A file has a checksum of an unknown kind, ${id}.`);
}

function malformed(message: string): PikeError {
  return new PikeError('PIKE_ERR_MALFORMED', message);
}

import { basename, resolve } from 'node:path';
import type { Connection } from '../core/connection.js';
import type { Converter, Deserializer, Limits, Serializer } from '../core/converter.js';
import { PikeError } from '../core/errors.js';
import { runReported } from '../core/report.js';
import type { FileChecksum } from './file-checksum.js';
import { CHECKSUMS } from './file-checksum.js';
import { FileDeserializer } from './file-deserializer.js';
import type { FileMessage, FileProgress, ReceivedFile } from './file-message.js';
import { nameProblem } from './file-name.js';
import type { Existing } from './file-publish.js';
import { FileSerializer } from './file-serializer.js';
import { OpenFiles } from './open-files.js';
import { invalidOption, refuseUnknownOptions } from './options.js';
import { removeStaleParts } from './stale-parts.js';

/** Options of {@link FileConverter}. */
export interface FileOptions {
  /** The directory that received files are stored in; it must exist. Default: none, files can only be sent. */
  directory?: string;
  /** The most bytes that a file may have, sent or received. Default: 1 073 741 824 (1 GiB). */
  maxFileBytes?: number;
  /**
   * What to do when a file of the received name is there already: `'suffix'` stores the new one as
   * `name-<12 random hexadecimal digits>.extension`; `'refuse'` costs the connection. No file is ever
   * overwritten. Default: `'suffix'`.
   */
  existing?: Existing;
  /** How files are checked that are sent; received ones as their sender says. Default: `'crc32'`. */
  checksum?: FileChecksum;
  /** Told of every piece that was given to a connection, or has arrived. What it throws is an uncaught exception. */
  onProgress?: (progress: FileProgress) => void;
}

const DEFAULT_MAX_FILE_BYTES = 1024 ** 3;
/** How much of a received file waits for the disk, at most, before the connection is not read any more. */
const MAX_PENDING_BYTES = 512 * 1024;

/**
 * Files as messages, of any size in flat memory: content is streamed from disk to socket and from
 * socket to disk, each reading or writing while the other works.
 *
 * On the wire (docs/file-protocol.md): `PKF1`, the kind of checksum (1 byte), the length of the name
 * (1), the size (8, big-endian), the name in UTF-8, the content, and the checksum of the content.
 *
 * **Sending.** A file is opened when its turn comes. If it cannot be read, is no regular file, has
 * more than `maxFileBytes` (`PIKE_ERR_MESSAGE_TOO_LARGE`) or a name that a peer would refuse
 * (`PIKE_ERR_SERIALIZER`, with the system's error as `cause`), the message is rejected: no byte has
 * left. If it cannot be read further, or has shrunk, grown or been written to when all is read,
 * some have, and the connection is closed: the peer has not got the checksum, and stores nothing.
 *
 * **Receiving.** A file is written to `.<name>.<random>.part` in `directory`, created exclusively, and
 * gets its name only when all has arrived and the checksum is right; the message comes then. No file
 * is overwritten and no symbolic link followed. If the connection ends before, the part is deleted;
 * if the process is killed, it stays until {@link removeStaleParts}. Nothing is forced to the disk:
 * what the system has not written yet is lost when the machine loses power.
 * `PIKE_ERR_MALFORMED`, before anything is created: what is no header, and a name that is empty,
 * longer than 255 bytes or no valid UTF-8, begins with a dot or a space or ends with one, holds a
 * separator, one of `:*?"<>|`, or control, invisible or direction characters, or is a device on
 * Windows (on every system, so that a name means the same everywhere). `PIKE_ERR_MALFORMED` also for
 * a wrong checksum; `PIKE_ERR_MESSAGE_TOO_LARGE` for a declared size over `maxFileBytes`;
 * `PIKE_ERR_DESERIALIZER`, with the system's error as `cause`, if the file cannot be stored.
 *
 * Memory: 256 KiB for each file that is being sent, and up to 512 KiB (or `maxMessageBytes`, if that
 * is less) for each that is being received. What peers may store in all, and how fast, is not
 * limited here: `maxConnections` times `maxFileBytes` can arrive at a time.
 *
 * One instance serves any number of connections.
 *
 * @example
 * const converter = new FileConverter({ directory: '/var/spool/incoming' });
 * connector.send(connection, { path: 'build/report.pdf' });
 */
export class FileConverter implements Converter<FileMessage> {
  /** A part of a file is never stored. */
  readonly atomic = true;
  readonly #directory: string | undefined;
  readonly #maxFileBytes: number;
  readonly #existing: Existing;
  readonly #checksum: FileChecksum;
  readonly #onProgress: ((progress: FileProgress) => void) | undefined;
  readonly #openFiles = new OpenFiles();

  /** @throws PikeError `PIKE_ERR_INVALID_OPTION` */
  constructor(options: FileOptions = {}) {
    checkOptions(options);
    this.#directory = options.directory === undefined ? undefined : resolve(options.directory);
    this.#maxFileBytes = options.maxFileBytes ?? DEFAULT_MAX_FILE_BYTES;
    this.#existing = options.existing ?? 'suffix';
    this.#checksum = options.checksum ?? 'crc32';
    this.#onProgress = options.onProgress;
  }

  /**
   * Resolves once no file is open and no part is left to delete. After `shutdown` of the connectors
   * that use the converter, await it before the process exits: deleting takes a moment.
   */
  settled(): Promise<void> {
    return this.#openFiles.settled();
  }

  /**
   * Deletes the parts that a process has left in `directory` because it was killed or lost power;
   * those that this converter is writing stay. Call it once, when the process has begun to listen,
   * and only if nobody else receives files into the same directory: nothing tells a part that
   * another process is writing from one that was left. (A file whose part is deleted is not stored,
   * and costs its connection with `PIKE_ERR_DESERIALIZER`.)
   * @returns the paths of what was deleted
   * @throws PikeError `PIKE_ERR_INVALID_OPTION` if the directory cannot be read or written, with the
   * system's error as `cause`
   */
  async removeStaleParts(): Promise<string[]> {
    const inUse = (path: string): boolean => this.#openFiles.hasPart(path);
    return this.#directory === undefined ? [] : removeStaleParts(this.#directory, inUse);
  }

  createSerializer(message: FileMessage, connection: Connection): Serializer {
    const { path, name = basename(path) } = requireFile(message);
    const problem = nameProblem(name);
    if (problem !== undefined) {
      throw new PikeError(
        'PIKE_ERR_SERIALIZER',
        `The name ${JSON.stringify(name)} ${problem}: give the file another one.`,
      );
    }
    const report = this.#reporter(connection, 'sending');
    const onProgress = report && ((bytes: number, size: number) => report({ name, size }, bytes));
    return new FileSerializer(
      { path, name, checksum: this.#checksum, maxFileBytes: this.#maxFileBytes, onProgress },
      this.#openFiles,
    );
  }

  createDeserializer(connection: Connection, limits: Limits): Deserializer<ReceivedFile> {
    if (this.#directory === undefined) {
      throw new PikeError(
        'PIKE_ERR_DESERIALIZER',
        'A peer sends a file, and there is no directory for it. Give FileConverter a directory.',
      );
    }
    return new FileDeserializer(
      {
        directory: this.#directory,
        existing: this.#existing,
        maxFileBytes: this.#maxFileBytes,
        maxPendingBytes: Math.min(MAX_PENDING_BYTES, limits.maxMessageBytes),
        onProgress: this.#reporter(connection, 'receiving'),
      },
      this.#openFiles,
    );
  }

  #reporter(connection: Connection, direction: FileProgress['direction']): Reporter | undefined {
    const onProgress = this.#onProgress;
    return (
      onProgress &&
      (({ name, size }, bytes) =>
        // A callback of the application must not cost the connection.
        runReported(undefined, onProgress, { connection, direction, name, bytes, size }))
    );
  }
}

type Reporter = (file: { name: string; size: number }, bytes: number) => void;

function requireFile(message: FileMessage): FileMessage {
  if (!isPath(message?.path) || typeof (message.name ?? '') !== 'string') {
    throw new PikeError(
      'PIKE_ERR_SERIALIZER',
      'A file is sent as { path: string, name?: string }; the message is something else.',
    );
  }
  return message;
}

/** With a NUL in it the file system's functions would throw at once. */
function isPath(path: unknown): boolean {
  return typeof path === 'string' && path !== '' && !path.includes('\0');
}

function checkOptions(options: FileOptions): void {
  const owner = 'FileConverter';
  const known = ['directory', 'maxFileBytes', 'existing', 'checksum', 'onProgress'];
  refuseUnknownOptions(owner, options, known);
  const { directory, maxFileBytes = 0, existing = 'suffix', checksum = 'crc32' } = options;
  if (directory !== undefined && !isPath(directory)) {
    throw invalidOption(owner, 'directory', 'must be a path, and not empty', directory);
  }
  if (!Number.isSafeInteger(maxFileBytes) || maxFileBytes < 0) {
    throw invalidOption(owner, 'maxFileBytes', 'must be a whole number of bytes', maxFileBytes);
  }
  if (!['suffix', 'refuse'].includes(existing)) {
    throw invalidOption(owner, 'existing', "must be 'suffix' or 'refuse'", existing);
  }
  if (!Object.hasOwn(CHECKSUMS, checksum)) {
    throw invalidOption(owner, 'checksum', "must be 'crc32' or 'sha256'", checksum);
  }
  if (options.onProgress !== undefined && typeof options.onProgress !== 'function') {
    throw invalidOption(owner, 'onProgress', 'must be a function', options.onProgress);
  }
}

import type { BigIntStats } from 'node:fs';
import { close, constants, fstat, open, read } from 'node:fs';
import type { Serializer } from '../core/converter.js';
import { WAIT_FOR_CALLBACK } from '../core/converter.js';
import { describeThrown, isPikeError, PikeError } from '../core/errors.js';
import { CHECKSUMS, startChecksum } from './file-checksum.js';
import type { FileChecksum, RunningChecksum } from './file-checksum.js';
import { fileTooLarge, MOST_HEADER_BYTES, writeHeader } from './file-header.js';
import type { OpenFiles } from './open-files.js';

/** How much is read at a time, in bytes. Twice as much is held: what is being sent, and what is read ahead. */
const PIECE_BYTES = 128 * 1024;
/** A FIFO must not hold up the thread that opens it. (Windows has no such flag.) */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** What a serializer has to do. */
export interface FileToSend {
  readonly path: string;
  readonly name: string;
  readonly checksum: FileChecksum;
  readonly maxFileBytes: number;
  /** Told how much of the content was given to the connection. */
  readonly onProgress: ((bytes: number, size: number) => void) | undefined;
}

/** Some bytes that are ready to be sent. */
interface Piece {
  readonly buffer: Buffer;
  /** How much of the buffer they are. */
  readonly length: number;
  /** How much of the content has been sent with them. */
  readonly contentEnd: number;
}

/**
 * Sends a file: header, content, checksum. While the connection works on one piece the next one is
 * read, in turns into two buffers. Steps follow each other by callbacks; no promise is made.
 */
export class FileSerializer implements Serializer {
  readonly #file: FileToSend;
  readonly #openFiles: OpenFiles;
  readonly #checksum: RunningChecksum;
  #free: Buffer[] = [];
  #ready: Piece | undefined;
  /** The piece that the connection reads from until it asks again. */
  #given: Piece | undefined;
  #fd: number | undefined;
  #stat: BigIntStats | undefined;
  #size = 0;
  #read = 0;
  #started = false;
  /** Whether the last piece was made. */
  #complete = false;
  /** Whether a call to the file system is under way. */
  #busy = false;
  #destroyed = false;
  #error: PikeError | undefined;
  #callback: (() => void) | undefined;

  constructor(file: FileToSend, openFiles: OpenFiles) {
    this.#file = file;
    this.#openFiles = openFiles;
    this.#checksum = startChecksum(file.checksum);
  }

  getBytes(callback: () => void): Uint8Array | typeof WAIT_FOR_CALLBACK {
    if (this.#error !== undefined) throw this.#error;
    if (this.#given !== undefined) this.#free.push(this.#given.buffer);
    this.#given = this.#ready;
    this.#ready = undefined;
    if (!this.#started) this.#open();
    else this.#readAhead();
    if (this.#given !== undefined) {
      const { buffer, length, contentEnd } = this.#given;
      this.#file.onProgress?.(contentEnd, this.#size);
      return buffer.subarray(0, length);
    }
    if (this.#complete) return EMPTY;
    this.#callback = callback;
    return WAIT_FOR_CALLBACK;
  }

  destroy(): void {
    this.#destroyed = true;
    this.#callback = undefined;
    if (!this.#busy) this.#close();
  }

  #open(): void {
    this.#started = true;
    this.#busy = true;
    this.#openFiles.opened();
    open(this.#file.path, OPEN_FLAGS, (error, fd) => {
      if (error !== null) {
        this.#openFiles.closed();
        this.#done(error);
        return;
      }
      this.#fd = fd;
      fstat(fd, { bigint: true }, (failed, stat) => {
        if (this.#done(failed)) this.#begin(stat);
      });
    });
  }

  /** The file is open: makes buffers and reads the first piece, which the header stands in front of. */
  #begin(stat: BigIntStats): void {
    const { maxFileBytes, checksum } = this.#file;
    if (!stat.isFile()) {
      this.#fail(new PikeError('PIKE_ERR_SERIALIZER', `${this.#file.path} is not a regular file.`));
      return;
    }
    if (stat.size > maxFileBytes) {
      this.#fail(fileTooLarge(stat.size, maxFileBytes));
      return;
    }
    this.#stat = stat;
    this.#size = Number(stat.size);
    const bytes = Math.min(PIECE_BYTES, this.#size) + MOST_HEADER_BYTES + CHECKSUMS[checksum].bytes;
    this.#free = [Buffer.allocUnsafeSlow(bytes)];
    if (this.#size > PIECE_BYTES) this.#free.push(Buffer.allocUnsafeSlow(bytes));
    this.#readAhead();
  }

  /** Reads the next piece, unless one is ready or being read. */
  #readAhead(): void {
    if (this.#busy || this.#complete || this.#ready !== undefined) return;
    const buffer = this.#free.pop();
    if (buffer === undefined || this.#fd === undefined) return;
    const { name, checksum } = this.#file;
    const start = this.#read === 0 ? writeHeader({ name, size: this.#size, checksum }, buffer) : 0;
    const wanted = Math.min(PIECE_BYTES, this.#size - this.#read);
    if (wanted === 0) {
      this.#finish(buffer, start);
      return;
    }
    this.#busy = true;
    read(this.#fd, buffer, start, wanted, null, (error, bytes) => {
      if (!this.#done(error)) return;
      if (bytes === 0) {
        this.#fail(this.#changed());
        return;
      }
      this.#checksum.update(buffer.subarray(start, start + bytes));
      this.#read += bytes;
      if (this.#read === this.#size) this.#finish(buffer, start + bytes);
      else this.#makeReady(buffer, start + bytes);
    });
  }

  /** All is read: looks whether it is still the same file, and puts the checksum behind the last piece. */
  #finish(buffer: Buffer, end: number): void {
    const fd = this.#fd as number;
    this.#busy = true;
    fstat(fd, { bigint: true }, (error, stat) => {
      if (!this.#done(error)) return;
      if (stat.size !== this.#stat?.size || stat.mtimeNs !== this.#stat.mtimeNs) {
        this.#fail(this.#changed());
        return;
      }
      const trailer = this.#checksum.digest();
      trailer.copy(buffer, end);
      this.#complete = true;
      this.#close();
      this.#makeReady(buffer, end + trailer.length);
    });
  }

  #makeReady(buffer: Buffer, length: number): void {
    this.#ready = { buffer, length, contentEnd: this.#read };
    this.#wake();
  }

  /** A call to the file system has returned. @returns whether to go on */
  #done(error: NodeJS.ErrnoException | null): boolean {
    this.#busy = false;
    if (this.#destroyed) this.#close();
    else if (error === null) return true;
    else this.#fail(error);
    return false;
  }

  #fail(error: Error): void {
    this.#error = isPikeError(error)
      ? error
      : new PikeError(
          'PIKE_ERR_SERIALIZER',
          `The file "${this.#file.name}" cannot be sent: ${describeThrown(error)}`,
          { cause: error },
        );
    this.#wake();
  }

  #wake(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }

  #close(): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    this.#fd = undefined;
    close(fd, (error) => {
      if (error !== null) process.emitWarning(error);
      this.#openFiles.closed();
    });
  }

  #changed(): PikeError {
    return new PikeError(
      'PIKE_ERR_SERIALIZER',
      `The file "${this.#file.name}" has changed while it was being sent.`,
    );
  }
}

const EMPTY = Buffer.alloc(0);

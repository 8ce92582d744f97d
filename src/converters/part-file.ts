import { close, open, write, writev } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describeThrown, PikeError, toError } from '../core/errors.js';
import { partName, randomMark } from './file-name.js';
import type { Existing } from './file-publish.js';
import { publish } from './file-publish.js';
import type { OpenFiles } from './open-files.js';

/** How many arrivals may wait to be written: each has a buffer of its own, however small. */
const MOST_PENDING_PIECES = 256;

/** Where a file is to be stored. */
export interface FilePlace {
  readonly directory: string;
  readonly name: string;
  readonly existing: Existing;
  /** How many bytes may wait to be written. */
  readonly maxPendingBytes: number;
}

/**
 * A file that is being received: under another name until {@link publish}, so that nobody takes it
 * for whole. It writes one thing at a time, and what has arrived meanwhile next, at once.
 */
export class PartFile {
  readonly #place: FilePlace;
  readonly #openFiles: OpenFiles;
  readonly #path: string;
  #fd: number | undefined;
  #created = false;
  #publishedAs: string | undefined;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** How many bytes are being written. */
  #flyingBytes = 0;
  #busy = true;
  #publishing = false;
  #discarded = false;
  /** Whether it is counted as open no more. */
  #released = false;
  #error: PikeError | undefined;
  #callback: (() => void) | undefined;

  constructor(place: FilePlace, openFiles: OpenFiles) {
    this.#place = place;
    this.#openFiles = openFiles;
    this.#path = join(place.directory, partName(place.name, randomMark()));
    openFiles.opened(this.#path);
    // Exclusively: fails if the name is there, and follows no symbolic link.
    open(this.#path, 'wx', (error, fd) => {
      if (error === null) {
        this.#fd = fd;
        this.#created = true;
      }
      this.#done(error);
    });
  }

  /** Why it cannot be stored. */
  get error(): PikeError | undefined {
    return this.#error;
  }

  /** Whether so much waits to be written that no more should be read. */
  get full(): boolean {
    return (
      this.#pendingBytes + this.#flyingBytes >= this.#place.maxPendingBytes ||
      this.#pending.length >= MOST_PENDING_PIECES
    );
  }

  /** Where it is, once {@link publish} is done. */
  get publishedAs(): string | undefined {
    return this.#publishedAs;
  }

  /** Writes bytes behind the others; they must not change any more. */
  write(bytes: Buffer): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (!this.#busy) this.#next();
  }

  /** Calls back once it is not {@link full}, or has failed. */
  whenRoom(callback: () => void): void {
    this.#callback = callback;
  }

  /** All is written: gives the file its name, and calls back once that is done, or has failed. */
  publish(callback: () => void): void {
    this.#publishing = true;
    this.#callback = callback;
    if (!this.#busy) this.#next();
  }

  /** It will not be whole: closes and deletes it, as soon as the system lets go of it. */
  discard(): void {
    this.#discarded = true;
    this.#callback = undefined;
    if (!this.#busy) this.#next();
  }

  #next(): void {
    if (this.#discarded) void this.#delete();
    else if (this.#error !== undefined) this.#wake();
    else if (this.#pending.length > 0) this.#writePending();
    else if (this.#publishing) void this.#publish();
    if (this.#callback !== undefined && !this.#publishing && !this.full) this.#wake();
  }

  #writePending(): void {
    const pieces = this.#pending;
    this.#flyingBytes = this.#pendingBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#write(pieces);
  }

  #write(pieces: Buffer[]): void {
    this.#busy = true;
    const fd = this.#fd as number;
    const written = (error: NodeJS.ErrnoException | null, bytes: number): void => {
      this.#flyingBytes -= bytes;
      if (error === null && this.#flyingBytes > 0 && !this.#discarded) {
        // The system may take a part only, as on a disk that is nearly full; then the rest tells why.
        this.#write(without(pieces, bytes));
        return;
      }
      this.#done(error);
    };
    const [first] = pieces;
    if (pieces.length === 1 && first !== undefined)
      write(fd, first, 0, first.length, null, written);
    else writev(fd, pieces, written);
  }

  async #publish(): Promise<void> {
    this.#busy = true;
    const { directory, name, existing } = this.#place;
    try {
      await this.#close();
      if (!this.#discarded) {
        this.#publishedAs = await publish(this.#path, directory, name, existing);
        this.#created = false;
      }
    } catch (error) {
      this.#done(toError(error));
      return;
    }
    this.#busy = false;
    if (this.#discarded) {
      await this.#delete();
      return;
    }
    this.#release();
    this.#wake();
  }

  #done(error: Error | null): void {
    this.#busy = false;
    if (error !== null) {
      this.#error = new PikeError(
        'PIKE_ERR_DESERIALIZER',
        `The file "${this.#place.name}" cannot be stored: ${describeThrown(error)}`,
        { cause: error },
      );
    }
    this.#next();
  }

  /** Deletes whatever there is of a file that nobody is told of. */
  async #delete(): Promise<void> {
    this.#busy = true;
    await warned(this.#close());
    if (this.#created) await warned(unlink(this.#path));
    if (this.#publishedAs !== undefined) await warned(unlink(this.#publishedAs));
    this.#release();
  }

  async #close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) await closing(fd);
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#openFiles.closed(this.#path);
  }

  #wake(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }
}

const closing = promisify(close);

/** Makes a warning of what goes wrong while nobody waits for it any more. */
async function warned(action: Promise<void>): Promise<void> {
  try {
    await action;
  } catch (error) {
    // Somebody else may have deleted the file.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') process.emitWarning(toError(error));
  }
}

/** The pieces without their first `bytes` bytes. */
function without(pieces: readonly Buffer[], bytes: number): Buffer[] {
  let written = bytes;
  return pieces.flatMap((piece) => {
    const skipped = Math.min(written, piece.length);
    written -= skipped;
    return skipped === piece.length ? [] : [piece.subarray(skipped)];
  });
}

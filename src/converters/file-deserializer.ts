import type { Deserializer, PutBytesResult } from '../core/converter.js';
import { DONE, WAIT_FOR_CALLBACK, WAIT_FOR_MORE } from '../core/converter.js';
import { PikeError } from '../core/errors.js';
import { CHECKSUMS, startChecksum } from './file-checksum.js';
import type { RunningChecksum } from './file-checksum.js';
import type { FileHeader } from './file-header.js';
import { readHeader } from './file-header.js';
import type { ReceivedFile } from './file-message.js';
import type { Existing } from './file-publish.js';
import type { OpenFiles } from './open-files.js';
import { PartFile } from './part-file.js';

/** What a deserializer has to keep to. */
export interface FilesToReceive {
  readonly directory: string;
  readonly existing: Existing;
  readonly maxFileBytes: number;
  /** How many bytes may wait to be written. */
  readonly maxPendingBytes: number;
  /** Told how much of the content has arrived. */
  readonly onProgress: ((header: FileHeader, bytes: number) => void) | undefined;
}

/** Receives a file: header, content, checksum; then the file gets its name. */
export class FileDeserializer implements Deserializer<ReceivedFile> {
  message!: ReceivedFile;
  readonly #options: FilesToReceive;
  readonly #openFiles: OpenFiles;
  #incoming: Incoming | undefined;

  constructor(options: FilesToReceive, openFiles: OpenFiles) {
    this.#options = options;
    this.#openFiles = openFiles;
  }

  putBytes(data: Buffer, callback: () => void): PutBytesResult {
    if (this.#incoming !== undefined) return this.#receive(this.#incoming, data, callback);
    const read = readHeader(data, this.#options.maxFileBytes);
    if (read === undefined) return [data, WAIT_FOR_MORE];
    const { header, bytes } = read;
    this.#incoming = {
      header,
      part: new PartFile({ ...this.#options, name: header.name }, this.#openFiles),
      checksum: startChecksum(header.checksum),
      missing: header.size,
      digest: undefined,
    };
    return this.#receive(this.#incoming, data.subarray(bytes), callback);
  }

  destroy(): void {
    this.#incoming?.part.discard();
  }

  #receive(incoming: Incoming, data: Buffer, callback: () => void): PutBytesResult {
    const { header, part } = incoming;
    if (part.error !== undefined) throw part.error;
    let rest = data;
    if (incoming.missing > 0) {
      const content = rest.subarray(0, incoming.missing);
      rest = rest.subarray(content.length);
      if (content.length > 0) this.#take(incoming, content);
      if (part.full) {
        part.whenRoom(callback);
        return [rest, WAIT_FOR_CALLBACK];
      }
    }
    if (incoming.digest === undefined) {
      const { bytes } = CHECKSUMS[header.checksum];
      if (incoming.missing > 0 || rest.length < bytes) return [rest, WAIT_FOR_MORE];
      incoming.digest = incoming.checksum.digest();
      if (!incoming.digest.equals(rest.subarray(0, bytes))) throw corrupted(header);
      part.publish(callback);
      return [rest.subarray(bytes), WAIT_FOR_CALLBACK];
    }
    this.message = {
      path: part.publishedAs as string,
      name: header.name,
      size: header.size,
      ...(header.checksum === 'sha256' && { sha256: incoming.digest.toString('hex') }),
    };
    return [rest, DONE];
  }

  #take(incoming: Incoming, content: Buffer): void {
    incoming.checksum.update(content);
    incoming.part.write(content);
    incoming.missing -= content.length;
    this.#options.onProgress?.(incoming.header, incoming.header.size - incoming.missing);
  }
}

/** The file that is being received. */
interface Incoming {
  readonly header: FileHeader;
  readonly part: PartFile;
  readonly checksum: RunningChecksum;
  /** How many bytes of the content have not arrived. */
  missing: number;
  /** The checksum, once all has arrived and it was right. */
  digest: Buffer | undefined;
}

function corrupted({ name, checksum }: FileHeader): PikeError {
  return new PikeError('PIKE_ERR_MALFORMED', `The ${checksum} of the file "${name}" is not right.`);
}

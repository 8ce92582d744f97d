import type { Connection } from '../core/connection.js';

/** A file as `FileConverter` sends it. What it receives is a {@link ReceivedFile}. */
export interface FileMessage {
  /** Where the file is. To be sent, it is opened when its turn comes, and must not change until it is sent. */
  readonly path: string;
  /** The name that the peer is given. Default: the last part of `path`. */
  readonly name?: string;
  /** Not used for sending: the file itself says. */
  readonly size?: number;
  /** Not used for sending: it is computed on the way. */
  readonly sha256?: string;
}

/** A file that was received whole and is stored. May be sent on as it is. */
export interface ReceivedFile extends FileMessage {
  /** Where it is stored: in the converter's `directory`, under `name` or, if that was taken, with a suffix. */
  readonly path: string;
  /** The name that the peer gave. It is a plain file name, but not one that you chose. */
  readonly name: string;
  /** How long it is, in bytes. */
  readonly size: number;
  /** The SHA-256 of its content, in hexadecimal, if the sender uses that checksum. */
  readonly sha256?: string;
}

/** How far a file has come. */
export interface FileProgress {
  readonly connection: Connection;
  readonly direction: 'sending' | 'receiving';
  /** The name on the wire. */
  readonly name: string;
  /** How much of the content was given to the connection, or has arrived, in bytes. */
  readonly bytes: number;
  /** How long the file is, in bytes. */
  readonly size: number;
}

/** Whether a message is one that was received (or might have been). */
export function isReceivedFile(message: FileMessage): message is ReceivedFile {
  return message.name !== undefined && message.size !== undefined;
}

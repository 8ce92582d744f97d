import { jsonPayload, LineConverter } from 'nestjs-pike/converters';
import type { Converter, FileMessage } from 'nestjs-pike/converters';

/** What the server answers to a file that is whole, right and stored: a line of JSON. */
export interface Receipt {
  /** The name that the sender gave. */
  name: string;
  /** The name of the file in the server's directory. */
  storedAs: string;
  size: number;
  sha256: string;
}

/** What goes over a connection: files one way, a receipt for each, in order, the other way. */
export type FileCopyMessage = FileMessage | Receipt;

export const RECEIPTS = new LineConverter<Receipt>({ payload: jsonPayload<Receipt>() });

/** Whether a message is a receipt for a file of that size. Nobody vouches for what a server sends. */
export function isReceiptFor(size: number, message: unknown): message is Receipt {
  const { storedAs, size: stored, sha256 } = (message ?? {}) as Partial<Receipt>;
  return (
    stored === size &&
    // To be printed: without characters that a terminal would obey.
    typeof storedAs === 'string' &&
    !/\p{C}/u.test(storedAs) &&
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256)
  );
}

/** A protocol that differs by direction: what is sent and what is received have their own formats. */
export function eachWay<Sent, Received>(
  sent: Converter<Sent>,
  received: Converter<Received>,
): Converter<Sent | Received> {
  return {
    createSerializer: (message, connection) => sent.createSerializer(message as Sent, connection),
    createDeserializer: (connection, limits) => received.createDeserializer(connection, limits),
    atomic: sent.atomic,
  };
}

/** Where the server listens unless told otherwise. */
export const FILE_COPY_PORT = 4323;

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

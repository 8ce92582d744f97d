import { decode, encode } from '@msgpack/msgpack';
import { rawMessages } from 'nestjs-pike';
import type { PikeClientOptions } from 'nestjs-pike';
import { LengthPrefixedConverter, textPayload } from 'nestjs-pike/converters';

/** A message that a server has seen whole. */
export interface SeenMessage {
  number: number;
  isRequest: boolean;
  id: unknown;
}

/** A protocol of a client, as a server on raw sockets speaks it; all frames begin with their length. */
export interface WireProtocol {
  readonly inOrder: boolean;
  readonly options: Partial<PikeClientOptions>;
  /** What a client is given as data. */
  data(number: number, isRequest: boolean, size: number): unknown;
  /** The first frame, if it is whole. */
  frameOf(bytes: Buffer): Buffer | undefined;
  /** `undefined`: a cancellation. */
  read(frame: Buffer): SeenMessage | undefined;
  answer(message: SeenMessage): Buffer;
  /** The number that a reply belongs to, as the client has been given it. */
  numberOf(response: unknown): number;
}

function frameOf(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 4) return undefined;
  const end = 4 + bytes.readUInt32BE();
  return bytes.length < end ? undefined : bytes.subarray(0, end);
}

function framed(payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + payload.length);
  frame.writeUInt32BE(payload.length);
  frame.set(payload, 4);
  return frame;
}

/** The default protocol. */
export const BY_ID: WireProtocol = {
  inOrder: false,
  options: {},
  data: (number, _isRequest, size) => ({ number, filling: 'x'.repeat(size) }),
  frameOf,
  read: (frame) => {
    const { id, data } = decode(frame.subarray(4)) as { id?: number; data?: { number: number } };
    return data === undefined
      ? undefined
      : { number: data.number, isRequest: id !== undefined, id };
  },
  answer: ({ id, number }) => framed(encode({ id, response: number, isDisposed: true })),
  numberOf: Number,
};

/** A protocol without ids: one reply for each request, in order. */
export const IN_ORDER: WireProtocol = {
  inOrder: true,
  options: {
    converter: new LengthPrefixedConverter<string>({ bytes: 4, payload: textPayload }),
    ...rawMessages<string>('p', { reply: true }),
  },
  data: (number, isRequest, size) => `${isRequest ? 'r' : 'e'}${number} ${'x'.repeat(size)}`,
  frameOf,
  read: (frame) => {
    const text = frame.toString('utf8', 4);
    return { number: parseInt(text.slice(1)), isRequest: text.startsWith('r'), id: undefined };
  },
  answer: ({ number }) => framed(Buffer.from(`${number}`)),
  numberOf: Number,
};

import { ByteReader, PikeError } from 'nestjs-pike/converters';
import type { ByteWriter, PayloadCodec } from 'nestjs-pike/converters';
import { crc16 } from './crc16.js';

/** What gateway and devices say to each other. */
export type Frame =
  /** To a device that has connected: prove that you know your key. */
  | { type: 'challenge'; nonce: Buffer }
  /** From it: who it is, and HMAC-SHA256 of the nonce and its name, by its key. */
  | { type: 'login'; device: string; proof: Buffer }
  | { type: 'welcome' }
  | { type: 'refused' }
  /** From a device, whenever it likes. */
  | { type: 'reading'; sensor: number; value: number }
  | { type: 'command'; id: number; code: number; argument: number }
  /** From a device, for each command: a status, which is 0 if it has done it, and a value. */
  | { type: 'result'; id: number; status: number; value: number }
  /** To a device that has a display. */
  | { type: 'display'; text: string };

type FrameType = Frame['type'];

/** How a frame of one type is written and read: all that stands between its type and the checksum. */
interface Body<F extends Frame> {
  readonly code: number;
  write(frame: F, writer: ByteWriter): void;
  read(reader: ByteReader): Omit<F, 'type'>;
}

const NOTHING = { write: () => undefined, read: () => ({}) };

const BODIES: { [T in FrameType]: Body<Extract<Frame, { type: T }>> } = {
  challenge: {
    code: 0x01,
    write: ({ nonce }, writer) => writer.writeBytes(nonce),
    read: (reader) => ({ nonce: reader.copyBytes(reader.remaining) }),
  },
  login: {
    code: 0x02,
    write: ({ device, proof }, writer) => writer.writeBytes(proof).writeString(device),
    read: (reader) => ({
      proof: reader.copyBytes(32),
      device: reader.readString(reader.remaining),
    }),
  },
  welcome: { code: 0x03, ...NOTHING },
  refused: { code: 0x04, ...NOTHING },
  reading: {
    code: 0x10,
    write: ({ sensor, value }, writer) => writer.writeUInt8(sensor).writeInt32BE(value),
    read: (reader) => ({ sensor: reader.readUInt8(), value: reader.readInt32BE() }),
  },
  command: {
    code: 0x20,
    write: ({ id, code, argument }, writer) =>
      writer.writeUInt32BE(id).writeUInt8(code).writeInt32BE(argument),
    read: (reader) => ({
      id: reader.readUInt32BE(),
      code: reader.readUInt8(),
      argument: reader.readInt32BE(),
    }),
  },
  result: {
    code: 0x21,
    write: ({ id, status, value }, writer) =>
      writer.writeUInt32BE(id).writeUInt8(status).writeInt32BE(value),
    read: (reader) => ({
      id: reader.readUInt32BE(),
      status: reader.readUInt8(),
      value: reader.readInt32BE(),
    }),
  },
  display: {
    code: 0x30,
    write: ({ text }, writer) => writer.writeString(text),
    read: (reader) => ({ text: reader.readString(reader.remaining) }),
  },
};

const TYPES = new Map(
  Object.entries(BODIES).map(([type, { code }]) => [code, type as FrameType] as const),
);

const CHECKSUM_BYTES = 2;

/** A byte of type, the body, and a checksum of both: CRC-16/CCITT-FALSE, the high byte first. */
export const framePayload: PayloadCodec<Frame> = {
  encode(frame, writer) {
    const start = writer.position;
    const body = BODIES[frame.type] as Body<Frame>;
    writer.writeUInt8(body.code);
    body.write(frame, writer);
    writer.writeUInt16BE(crc16(writer.buffer, start, writer.position));
  },
  decode(bytes) {
    const end = bytes.length - CHECKSUM_BYTES;
    if (end < 1 || bytes.readUInt16BE(end) !== crc16(bytes, 0, end)) {
      throw malformed('A frame has the wrong checksum.');
    }
    const reader = new ByteReader(bytes.length, bytes.subarray(0, end));
    const type = TYPES.get(reader.readUInt8());
    if (type === undefined) throw malformed('A frame is of a type that nobody knows.');
    const body = (BODIES[type] as Body<Frame>).read(reader);
    if (reader.remaining > 0) throw malformed(`A frame of the type ${type} is too long.`);
    return { type, ...body } as Frame;
  },
};

function malformed(message: string): PikeError {
  return new PikeError('PIKE_ERR_MALFORMED', message);
}

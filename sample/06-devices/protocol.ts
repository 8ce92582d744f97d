import { PikeError } from 'nestjs-pike';
import type {
  IncomingPacket,
  IncomingReply,
  OutgoingPacket,
  PacketDeserializer,
  PacketSerializer,
  ReplyPacket,
} from 'nestjs-pike';
import { LengthPrefixedConverter } from 'nestjs-pike/converters';
import type { Frame } from './frames.js';
import { framePayload } from './frames.js';

/** Where devices connect to, and where people ask, unless told otherwise. */
export const DEVICES_PORT = 4323;
export const HTTP_PORT = 8080;

/** What can be asked of a device, with the code that stands for it. */
const COMMANDS = { relay: 1, interval: 2 } as const;

export type Command = keyof typeof COMMANDS;

/** A device has said that it has not done what it was told. */
export class CommandFailed extends Error {
  constructor(readonly status: number) {
    super(`The device has answered with status ${status}.`);
  }
}

/** Readings are events; results are the replies to our commands. */
const incoming: PacketDeserializer<IncomingPacket & IncomingReply, Frame> = {
  deserialize(frame) {
    if (frame.type === 'reading') {
      const { sensor, value } = frame;
      return { pattern: 'reading', data: { sensor, value } };
    }
    if (frame.type !== 'result') {
      throw new PikeError('PIKE_ERR_MALFORMED', `A device has sent a ${frame.type}.`);
    }
    const { id, status, value } = frame;
    return status === 0
      ? { id, response: value, isDisposed: true }
      : { id, err: new CommandFailed(status), isDisposed: true };
  },
};

const outgoing: PacketSerializer<OutgoingPacket & Partial<ReplyPacket>, Frame> = {
  serialize({ id, pattern, data }) {
    if (pattern === 'display') return { type: 'display', text: data as string };
    // The protocol has no word for taking a command back.
    if (pattern === undefined) return undefined;
    const code = COMMANDS[pattern as Command];
    return { type: 'command', id: id as number, code, argument: data as number };
  },
};

/** Frames behind a length of two bytes; commands and their results find each other by an id. */
export const DEVICES_PROTOCOL = {
  converter: new LengthPrefixedConverter<Frame>({ bytes: 2, payload: framePayload }),
  correlation: 'id' as const,
  deserializer: incoming,
  serializer: outgoing,
};

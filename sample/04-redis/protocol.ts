import { PikeError } from 'nestjs-pike';
import type {
  IncomingPacket,
  IncomingReply,
  OutgoingPacket,
  PacketDeserializer,
  PacketSerializer,
  ReplyPacket,
} from 'nestjs-pike';
import { isRespError, RespConverter, RespError } from 'nestjs-pike/converters';
import type { RespValue } from 'nestjs-pike/converters';

/** Where the server listens unless told otherwise: a real Redis may be on 6379. */
export const REDIS_PORT = 6380;

/** The pattern of a command of no words, such as an empty line. */
export const NO_COMMAND = 'no command';

/** A command is an array of bulk strings: its name is the pattern, the others are the data. */
const commands: PacketDeserializer<IncomingPacket, RespValue> = {
  deserialize(message) {
    if (!Array.isArray(message) || !message.every((word) => Buffer.isBuffer(word))) {
      throw new PikeError('PIKE_ERR_MALFORMED', 'A command must be an array of bulk strings.');
    }
    const [name, ...args] = message;
    if (name === undefined) return { pattern: NO_COMMAND };
    // The id says that it is to be answered: replies come in the order of the requests.
    return { id: 0, pattern: name.toString('latin1').toUpperCase(), data: args };
  },
};

/** Replies are what handlers return; an event is an array that begins with its name. */
const replies: PacketSerializer<OutgoingPacket & Partial<ReplyPacket>, RespValue> = {
  serialize({ pattern, data, err, response }) {
    if (pattern !== undefined) return [pattern as string, ...(data as RespValue[])];
    if (err !== undefined && err !== null) return new RespError(errorText(err));
    return (response ?? null) as RespValue;
  },
};

/** The protocol as a server speaks it. Redis holds any bytes, so nothing is decoded. */
export const REDIS_SERVER = {
  converter: new RespConverter({ encoding: 'buffer', inlineCommands: true }),
  correlation: 'order' as const,
  deserializer: commands,
  serializer: replies,
};

/** The protocol as a client speaks it: `client.send('SET', ['greeting', 'hello'])`. */
export const REDIS_CLIENT = {
  converter: new RespConverter(),
  correlation: 'order' as const,
  serializer: {
    serialize: ({ pattern, data }) => [pattern as string, ...((data ?? []) as Word[]).map(toBulk)],
  } satisfies PacketSerializer<OutgoingPacket, RespValue>,
  deserializer: {
    deserialize: (message) =>
      isRespError(message) ? { err: message } : { response: message, isDisposed: true },
  } satisfies PacketDeserializer<IncomingReply, RespValue>,
};

type Word = string | Uint8Array | number | bigint;

/** Redis takes nothing but bulk strings, numbers too. */
function toBulk(word: Word): string | Uint8Array {
  return typeof word === 'number' || typeof word === 'bigint' ? `${word}` : word;
}

/** What Nest says of an error, in Redis's way: a word in capitals comes first. */
function errorText(err: unknown): string {
  // The only error that is a text is that there is no handler.
  if (typeof err === 'string') return 'ERR unknown command';
  const { message } = err as { message: string };
  return /^[A-Z]+ /.test(message) ? message : `ERR ${message}`;
}

import { DONE, FramedConverter, WAIT_FOR_CALLBACK, WAIT_FOR_MORE } from 'nestjs-pike/converters';
import type {
  ByteReader,
  ByteWriter,
  Converter,
  Deserializer,
  Serializer,
} from 'nestjs-pike/converters';
import { PikeError } from 'nestjs-pike/core';
import type { ConnectorLimits, Limits } from 'nestjs-pike/core';

/** A converter with one mistake in it, and what shows it. */
export interface Mistaken {
  converter: Converter<string>;
  /** What a peer sends; otherwise a message is sent to it. */
  peerSends?: string;
  limits?: Partial<ConnectorLimits>;
  /** Bytes that are no message. */
  malformed?: Record<string, string>;
}

const END = 0x0a;
const SHORT = { incompleteMessageTimeout: 20 };
const NO_MESSAGE = { 'a line that begins with a space': ' \n' };

/** A message is a line that does not begin with a space. */
class Lines extends FramedConverter<string> {
  encode(line: string, writer: ByteWriter): void {
    writer.writeString(`${line}\n`);
  }

  decode(reader: ByteReader): string | undefined {
    const length = reader.indexOf(END);
    if (length === -1) return undefined;
    if (reader.peekUInt8() === 0x20) return this.noMessage(reader);
    const line = reader.readString(length);
    reader.skip(1);
    return line;
  }

  noMessage(_reader: ByteReader): undefined {
    throw new PikeError('PIKE_ERR_MALFORMED', 'A line begins with a space.');
  }
}

/** The same as two objects, of which one is mistaken. */
function lines(mistake: {
  serializer?: (line: string) => Serializer;
  deserializer?: (limits: Limits) => Deserializer<string>;
}): Converter<string> {
  const right = new Lines();
  return {
    createSerializer: mistake.serializer ?? ((line) => right.createSerializer(line)),
    createDeserializer: (connection, limits) =>
      mistake.deserializer?.(limits) ?? right.createDeserializer(connection, limits),
  };
}

/** A deserializer whose message is there from the start. */
function deserializer(putBytes: (data: Buffer, callback: () => void) => unknown) {
  return { message: 'x', putBytes } as unknown as Deserializer<string>;
}

/** A serializer that gives these pieces, one at a time. */
function pieces(...all: (() => Uint8Array)[]): Serializer {
  return { getBytes: () => all.shift()?.() ?? Buffer.alloc(0) };
}

/** What is not used of bytes that hold a line, or `undefined` if they do not. */
function behindLine(data: Buffer): Buffer | undefined {
  const end = data.indexOf(END);
  return end === -1 ? undefined : data.subarray(end + 1);
}

/** Keeps what it has read of a message in `text`, which is its own or everybody's. */
function keeping(text: { kept: string }): Deserializer<string> {
  let message = '';
  return {
    get message() {
      return message;
    },
    putBytes(data) {
      const rest = behindLine(data);
      text.kept += data.subarray(0, data.length - (rest?.length ?? 0)).toString();
      if (rest === undefined) return [data.subarray(data.length), WAIT_FOR_MORE];
      message = text.kept.slice(0, -1);
      text.kept = '';
      return [rest, DONE];
    },
  };
}

class KeepsInConverter extends Lines {
  readonly #text = { kept: '' };

  override decode(reader: ByteReader): string | undefined {
    // By bytes that it takes away although the message is not whole.
    const bytes = reader.readBytes(reader.remaining);
    const rest = behindLine(bytes);
    this.#text.kept += bytes.subarray(0, bytes.length - (rest?.length ?? 0)).toString();
    if (rest === undefined) return undefined;
    reader.seek(reader.position - rest.length);
    const message = this.#text.kept.slice(0, -1);
    this.#text.kept = '';
    return message;
  }
}

const EVERYBODYS = { kept: '' };

/** By what the page calls each mistake. */
export const MISTAKEN: Readonly<Record<string, Mistaken>> = {
  '`decode` reads without looking at `remaining`': {
    converter: new (class extends Lines {
      override decode(reader: ByteReader): string {
        let line = '';
        for (let byte = reader.readUInt8(); byte !== END; byte = reader.readUInt8()) {
          line += String.fromCharCode(byte);
        }
        return line;
      }
    })(),
    peerSends: 'half a li',
  },
  '`decode` returns `undefined` for what will never be a message': {
    converter: new (class extends Lines {
      override noMessage(): undefined {}
    })(),
    malformed: NO_MESSAGE,
    peerSends: ' \n',
    limits: SHORT,
  },
  '`decode` throws an `Error` where the peer is to blame': {
    converter: new (class extends Lines {
      override noMessage(): undefined {
        throw new Error('A line begins with a space.');
      }
    })(),
    malformed: NO_MESSAGE,
    peerSends: ' \n',
  },
  '`decode` does not compare a length with `maxMessageBytes`': {
    converter: new (class extends Lines {
      override encode(line: string, writer: ByteWriter): void {
        writer.writeUInt8(line.length).writeString(line);
      }

      override decode(reader: ByteReader): string | undefined {
        const length = reader.peekUInt8();
        if (reader.remaining < 1 + length) return undefined;
        reader.skip(1);
        return reader.readString(length);
      }
    })(),
    peerSends: `\u007f${'-'.repeat(64)}`,
    limits: { maxMessageBytes: 64 },
  },
  '`decode` returns a message and has read nothing': {
    converter: new (class extends Lines {
      override decode(): string {
        return 'x';
      }
    })(),
    peerSends: 'x\n',
  },
  '`decode` is `async`': {
    converter: new (class extends Lines {
      // @ts-expect-error The compiler sees this one.
      override async decode(): Promise<string> {
        return 'x';
      }
    })(),
    peerSends: 'x\n',
  },
  '`encode` is `async`': {
    converter: new (class extends Lines {
      // oxlint-disable-next-line typescript/no-misused-promises -- the linter sees this one
      override async encode(line: string, writer: ByteWriter): Promise<void> {
        super.encode(line, writer);
      }
    })(),
  },
  'the converter keeps what it has read of a message': { converter: new KeepsInConverter() },
  '`putBytes` answers with other bytes than the last of those given': {
    converter: lines({
      deserializer: () => deserializer((data) => [data.subarray(0, 1), DONE]),
    }),
    peerSends: 'x\n',
  },
  '`putBytes` throws away what stands behind its message': {
    converter: lines({
      deserializer: () => {
        const right = keeping({ kept: '' });
        return {
          get message() {
            return right.message;
          },
          putBytes(data, callback) {
            const [rest, status] = right.putBytes(data, callback);
            return [rest.subarray(rest.length), status];
          },
        };
      },
    }),
  },
  '`putBytes` says `DONE` without having used a byte': {
    converter: lines({ deserializer: () => deserializer((data) => [data, DONE]) }),
    peerSends: 'x\n',
  },
  '`putBytes` says `WAIT_FOR_CALLBACK` to wait for bytes': {
    converter: lines({
      deserializer: () => {
        const right = keeping({ kept: '' });
        return {
          get message() {
            return right.message;
          },
          putBytes(data, callback) {
            const [rest, status] = right.putBytes(data, callback);
            return [rest, status === WAIT_FOR_MORE ? WAIT_FOR_CALLBACK : status];
          },
        };
      },
    }),
  },
  '`putBytes` does not count the bytes that it has used': {
    converter: lines({ deserializer: () => keeping({ kept: '' }) }),
  },
  '`putBytes` is `async`': {
    converter: lines({ deserializer: () => deserializer(async (data) => [data, WAIT_FOR_MORE]) }),
    peerSends: 'x\n',
  },
  '`getBytes` is `async`': {
    converter: lines({
      serializer: (line) =>
        ({ getBytes: async () => Buffer.from(`${line}\n`) }) as unknown as Serializer,
    }),
  },
  '`getBytes` throws when bytes have left': {
    converter: lines({
      serializer: (line) =>
        pieces(
          // More than goes out at once.
          () => Buffer.alloc(100_000, line),
          () => {
            throw new Error('The disk is gone.');
          },
        ),
    }),
  },
  '`getBytes` gives an empty array before the end': {
    converter: lines({
      serializer: (line) =>
        pieces(
          () => Buffer.from(line),
          () => Buffer.alloc(0),
          () => Buffer.from('\n'),
        ),
    }),
  },
  'one deserializer for all messages': {
    converter: lines({ deserializer: () => keeping(EVERYBODYS) }),
  },
  'a callback that is never called, since it had an error': {
    converter: lines({
      deserializer: () => deserializer((data) => [data.subarray(data.length), WAIT_FOR_CALLBACK]),
    }),
  },
  '`putBytes` says `WAIT_FOR_MORE` when it is to be called': {
    converter: lines({
      deserializer: () => {
        let written = false;
        return deserializer((data, callback) => {
          if (written) return [data, DONE];
          setImmediate(() => {
            written = true;
            callback();
          });
          return [data.subarray(data.length), WAIT_FOR_MORE];
        });
      },
    }),
  },
};

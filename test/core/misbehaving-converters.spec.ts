/*
 * Prevents: a mistake in somebody's converter that costs another message or the process, that its
 * author cannot find, or that leaves a half-used serializer behind.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DONE, FramedConverter, WAIT_FOR_CALLBACK, WAIT_FOR_MORE } from 'nestjs-pike/core';
import type {
  ByteReader,
  ByteWriter,
  Connection,
  Converter,
  Connector,
  PikeErrorCode,
} from 'nestjs-pike/core';
import { LineConverter } from '../support/line-converter.js';
import { Project } from '../support/project.js';
import { scriptedConverter } from '../support/scripted-converter.js';
import type { Script } from '../support/scripted-converter.js';
import { addressOf, useSockets } from '../support/use-sockets.js';

const sockets = useSockets();
const EMPTY = Buffer.alloc(0);
const LINES = scriptedConverter({});

/** What a careless author's `async` method answers, and what becomes of it later. */
function failingLater(): Promise<never> {
  return Promise.reject(new Error('nobody is listening any more'));
}

/** Speaks lines, but serializes the message `bad` otherwise. */
function badSerializer(create: () => unknown): Converter<string> {
  return {
    ...LINES,
    createSerializer: (message, connection) =>
      message === 'bad' ? (create() as never) : LINES.createSerializer(message, connection),
  };
}

describe('a serializer that answers nonsense', () => {
  const NOT_BYTES = 'getBytes must return a Uint8Array or WAIT_FOR_CALLBACK; it returned';
  const NOT_SERIALIZER =
    'createSerializer must return a Serializer, with a method getBytes; it returned';
  const answering = (getBytes: () => unknown) => (): unknown => ({ getBytes });

  it.each<[string, () => unknown, string]>([
    ['null', answering(() => null), `${NOT_BYTES} null`],
    ['nothing', answering(() => undefined), `${NOT_BYTES} undefined`],
    ['a text', answering(() => 'bad\n'), `${NOT_BYTES} string`],
    ['a number', answering(() => 0), `${NOT_BYTES} number`],
    ['a list of bytes', answering(() => [98, 10]), `${NOT_BYTES} an object (Array)`],
    ['words', answering(() => new Uint16Array(4)), `${NOT_BYTES} an object (Uint16Array)`],
    ['a bare buffer', answering(() => new ArrayBuffer(4)), `${NOT_BYTES} an object (ArrayBuffer)`],
    ['a status of putBytes', answering(() => DONE), `${NOT_BYTES} Symbol(nestjs-pike.DONE)`],
    [
      'a promise',
      answering(() => Promise.resolve(EMPTY)),
      `${NOT_BYTES} a promise: it is not awaited`,
    ],
    ['a promise that fails', answering(failingLater), 'WAIT_FOR_CALLBACK and calls the callback'],
    ['no serializer', () => undefined, `${NOT_SERIALIZER} undefined`],
    ['null as serializer', () => null, `${NOT_SERIALIZER} null`],
    ['a text as serializer', () => 'bad', `${NOT_SERIALIZER} string`],
    ['bytes as serializer', () => EMPTY, `${NOT_SERIALIZER} an object (Uint8Array)`],
    ['a promise of a serializer', failingLater, `${NOT_SERIALIZER} a promise`],
    [
      'a destroy that is no method',
      () => ({ getBytes: () => EMPTY, destroy: true }),
      'destroy of a Serializer must be a method',
    ],
  ])(
    '(%s) has its message rejected, with the reason, and the others are sent',
    async (_, create, reason) => {
      const errors: Error[] = [];
      const { connector, connection, events, peer } = await sockets.accepted({
        converter: badSerializer(create),
        onError: (error) => errors.push(error),
      });
      for (const message of ['one', 'bad', 'three']) connector.send(connection, message);

      const { message, error } = await events.next('rejectedMessage');

      expect({ message, code: error.code }).toEqual({
        message: 'bad',
        code: 'PIKE_ERR_SERIALIZER',
      });
      expect(error.message).toContain(reason);
      expect(await peer.sees('three\n')).toBe('one\nthree\n');
      expect(errors).toEqual([]);
    },
  );

  it.each<[string, unknown]>([
    ['null', null],
    ['a text', 'text'],
    ['a promise', Promise.resolve(EMPTY)],
  ])('(%s) when bytes of its message have left costs the connection', async (_, answer) => {
    let wake = (): void => {};
    const answers = [
      (): unknown => Buffer.from('begun '),
      (): unknown => WAIT_FOR_CALLBACK,
      (): unknown => answer,
    ];
    let destroyed = 0;
    const { connector, connection, events, peer } = await sockets.accepted({
      converter: scriptedConverter({
        getBytes: (_message, callback) => {
          wake = callback;
          return answers.shift()?.();
        },
        destroySerializer: () => destroyed++,
      }),
    });
    for (const message of ['bad', 'two']) connector.send(connection, message);
    await peer.sees('begun ');

    wake();

    expect(await events.next('finishDisconnect')).toMatchObject({
      incomplete: 'bad',
      queued: ['two'],
      uncertain: [],
      error: { code: 'PIKE_ERR_SERIALIZER' },
    });
    expect(destroyed).toBe(1);
  });

  it('and whose destroy throws too is reported to onError; the connection goes on', async () => {
    const errors: Error[] = [];
    const { connector, connection, events, peer } = await sockets.accepted({
      converter: badSerializer(() => ({
        getBytes: () => null,
        destroy: () => {
          throw new Error('cannot release');
        },
      })),
      onError: (error) => errors.push(error),
    });
    for (const message of ['bad', 'good']) connector.send(connection, message);
    await events.next('rejectedMessage');
    await peer.sees('good\n');
    expect(errors).toMatchObject([{ message: 'cannot release' }]);
  });
});

/** Speaks lines, and does with the message `bad` what a test says. */
class BadEncoder extends LineConverter {
  readonly #encodeBad: (writer: ByteWriter) => unknown;

  constructor(encodeBad: (writer: ByteWriter) => unknown) {
    super();
    this.#encodeBad = encodeBad;
  }

  override encode(message: string, writer: ByteWriter): void {
    if (message === 'bad') return this.#encodeBad(writer) as void;
    super.encode(message, writer);
  }
}

describe('a framed converter whose encode', () => {
  it('is async has its message rejected; what it writes later reaches nobody', async () => {
    let goOn = (): void => {};
    const resumed = new Promise<void>((resolve) => (goOn = resolve));
    let written = Promise.resolve();
    const { connector, connection, events, peer } = await sockets.accepted({
      converter: new BadEncoder((writer) => {
        const writing = async (): Promise<void> => {
          writer.writeString('before ');
          await resumed;
          writer.writeString('after, in the middle of another message');
        };
        written = writing();
        return written;
      }),
    });
    for (const message of ['one', 'bad', 'three']) connector.send(connection, message);
    const { error } = await events.next('rejectedMessage');
    expect(error).toMatchObject({ code: 'PIKE_ERR_SERIALIZER' });
    expect(error.message).toContain('encode must return nothing; it returned a promise');
    await peer.sees('three\n');

    connector.send(connection, 'four');
    goOn();
    await written;
    connector.send(connection, 'five');

    expect(await peer.sees('five\n')).toBe('one\nthree\nfour\nfive\n');
  });

  it.each<[string, (writer: ByteWriter) => unknown]>([
    ['rewinds into other messages', (writer) => writer.writeString('bad').rewind(0)],
    ['fills in other messages', (writer) => writer.writeString('bad').fillUInt32BE(0, 0)],
    ['fills in what it has not written', (writer) => writer.fillUInt8(0, writer.position)],
    ['counts what it has not written', (writer) => writer.advance(1e9)],
    ['counts a half byte', (writer) => writer.advance(0.5)],
    ['writes a text as bytes', (writer) => writer.writeBytes('bad\n' as never)],
    ['writes a number as bytes', (writer) => writer.writeBytes(5 as never)],
    ['writes bytes as text', (writer) => writer.writeString(EMPTY as never)],
    ['writes a number out of range', (writer) => writer.writeUInt8(256)],
    [
      'throws what is no error',
      () => {
        // eslint-disable-next-line typescript/only-throw-error -- what a careless converter does
        throw undefined;
      },
    ],
  ])('%s has its message rejected, and no other is touched', async (_, encodeBad) => {
    const { connector, connection, events, peer } = await sockets.accepted({
      converter: new BadEncoder(encodeBad),
    });
    for (const message of ['one', 'bad', 'three']) connector.send(connection, message);

    expect(await events.next('rejectedMessage')).toMatchObject({
      message: 'bad',
      error: { code: 'PIKE_ERR_SERIALIZER' },
    });
    expect(await peer.sees('three\n')).toBe('one\nthree\n');
  });
});

/** What becomes of a connection whose peer sends a line; another connection must survive it. */
async function endOf(
  converter: Converter<string>,
): Promise<{ code: PikeErrorCode; message: string }> {
  const { connector, events, connection, peer } = await sockets.accepted({ converter });
  const other = await sockets.peer(addressOf(connector));
  const { connection: second } = await events.next('remoteConnect');
  peer.write('line\n');
  const { error } = await events.next('finishDisconnect', connection);
  connector.send(second, 'alive');
  await other.sees('alive\n');
  return error as unknown as { code: PikeErrorCode; message: string };
}

describe('a deserializer that answers nonsense', () => {
  it.each<[string, Script['putBytes'], string]>([
    ['null', () => null, 'no pair, but null'],
    ['nothing', () => undefined, 'no pair, but undefined'],
    ['a text', () => 'DONE', 'no pair, but string'],
    ['a number', () => 5, 'no pair, but number'],
    ['a status alone', () => DONE, 'no pair, but Symbol(nestjs-pike.DONE)'],
    ['bytes alone', (data) => data, 'no pair, but an object (Uint8Array)'],
    [
      'a promise',
      () => Promise.resolve([EMPTY, DONE]),
      'no pair, but a promise: it is not awaited',
    ],
    ['a promise that fails', failingLater, 'WAIT_FOR_CALLBACK and calls the callback'],
    ['an empty pair', () => [], 'no Uint8Array, but undefined'],
    ['null as unused bytes', () => [null, DONE], 'no Uint8Array, but null'],
    ['text as unused bytes', () => ['line', DONE], 'no Uint8Array, but string'],
    ['a count below none', () => [-1, DONE], '-1 for the number of unused bytes'],
    ['half a byte', () => [0.5, DONE], '0.5 for the number of unused bytes'],
    ['no number', () => [NaN, DONE], 'NaN for the number of unused bytes'],
    ['a bigint', () => [1n, DONE], 'no Uint8Array, but bigint'],
    ['a count of more than it was given', (data) => [data.length + 1, DONE], 'more unused bytes'],
    ['a promise as unused bytes', () => [failingLater(), DONE], 'no Uint8Array, but a promise'],
    ['more than it was given', (data) => [Buffer.concat([data, data]), DONE], 'more unused bytes'],
    [
      'the first bytes, not the last',
      (data) => [data.subarray(0, 2), WAIT_FOR_MORE],
      'not the last ones',
    ],
    ['bytes from the middle', (data) => [data.subarray(1, 3), WAIT_FOR_MORE], 'not the last ones'],
    ['other bytes altogether', () => [Buffer.from('xyz'), WAIT_FOR_MORE], 'not the last ones'],
    ['a pair without status', (data) => [data], 'a status that is none'],
    ['an unknown status', (data) => [data, Symbol('DONE')], 'but Symbol(DONE)'],
    ['the name of a status', (data) => [data, 'DONE'], 'but string'],
  ])('(%s) costs its connection, and the event says why', async (_, putBytes, reason) => {
    const error = await endOf(scriptedConverter({ putBytes }));
    expect(error.code).toBe('PIKE_ERR_DESERIALIZER');
    expect(error.message).toContain(
      'putBytes must return [unused, status], unused being a suffix of its data',
    );
    expect(error.message).toContain(reason);
  });

  it.each<[string, () => unknown, string]>([
    ['nothing', () => undefined, 'it returned undefined'],
    ['null', () => null, 'it returned null'],
    ['an object without putBytes', () => ({ putbytes() {} }), 'it returned an object (Object)'],
    ['a promise of one', failingLater, 'it returned a promise'],
    ['one whose destroy is no method', () => ({ putBytes() {}, destroy: 1 }), 'must be a method'],
  ])('(%s in its place) costs its connection', async (_, create, reason) => {
    const error = await endOf({ ...LINES, createDeserializer: create as never });
    expect(error.code).toBe('PIKE_ERR_DESERIALIZER');
    expect(error.message).toContain(reason);
  });

  it.each<[string, (data: Buffer, from: number) => Uint8Array | number]>([
    // A Uint8Array's own slice, other than a Buffer's, copies.
    ['a copy of the last bytes', (data, from) => Uint8Array.prototype.slice.call(data, from)],
    ['how many the last bytes are', (data, from) => data.length - from],
  ])('may answer %s', async (_form, unused) => {
    const { events, peer } = await sockets.accepted({
      converter: scriptedConverter({
        putBytes: (data) => {
          const end = data.indexOf('\n');
          return end === -1 ? [unused(data, 0), WAIT_FOR_MORE] : [unused(data, end + 1), DONE];
        },
      }),
    });
    peer.write('one\ntwo\nthr');
    peer.write('ee\n');
    for (const _ of [1, 2, 3]) await events.next('messageReceived');
    expect(events.messages()).toEqual(['one', 'two', 'three']);
  });
});

describe('a framed converter whose decode', () => {
  it.each<[string, (reader: ByteReader) => unknown, PikeErrorCode, string]>([
    [
      'is async',
      async (reader) => reader.readString(reader.remaining),
      'PIKE_ERR_DESERIALIZER',
      'decode must return a message or undefined; it returned a promise',
    ],
    [
      'is async and fails',
      (reader) => {
        reader.skip(1);
        return failingLater();
      },
      'PIKE_ERR_DESERIALIZER',
      'a promise',
    ],
    ['reads nothing', () => 'message', 'PIKE_ERR_NO_PROGRESS', 'without reading a byte'],
    [
      'reads too much',
      (reader) => reader.readBytes(100),
      'PIKE_ERR_OUT_OF_BYTES',
      'Asked for 100 bytes where 5',
    ],
    [
      'reads half a byte',
      (reader) => reader.skip(0.5),
      'PIKE_ERR_OUT_OF_BYTES',
      'Asked for 0.5 bytes: a count',
    ],
    [
      'reads backwards',
      (reader) => reader.skip(-1),
      'PIKE_ERR_OUT_OF_BYTES',
      'Asked for -1 bytes: a count',
    ],
    [
      'reads a bigint of bytes',
      (reader) => reader.readBytes(5n as never),
      'PIKE_ERR_OUT_OF_BYTES',
      'Asked for 5 bytes: a count',
    ],
    [
      'reads no number of bytes',
      (reader) => reader.readString(undefined as never),
      'PIKE_ERR_OUT_OF_BYTES',
      'Asked for undefined',
    ],
    ['peeks backwards', (reader) => reader.peekUInt8(-1), 'PIKE_ERR_OUT_OF_BYTES', ''],
    [
      'seeks a place that is none',
      (reader) => reader.seek(Number.NaN),
      'PIKE_ERR_OUT_OF_BYTES',
      'Asked for NaN bytes',
    ],
    [
      'searches backwards',
      (reader) => reader.indexOf(10, -1),
      'PIKE_ERR_OUT_OF_BYTES',
      'Asked for -1 bytes',
    ],
  ])('%s costs its connection, and the event says why', async (_, decode, code, reason) => {
    class Careless extends FramedConverter<string> {
      encode(message: string, writer: ByteWriter): void {
        writer.writeString(`${message}\n`);
      }
      decode(reader: ByteReader): string | undefined {
        return decode(reader) as string | undefined;
      }
    }
    const error = await endOf(new Careless());
    expect(error.code).toBe(code);
    expect(error.message).toContain(reason);
  });
});

/** Where a converter may call its connector back. */
const PLACES = {
  createSerializer: (act: () => void): Converter<string> => ({
    ...LINES,
    createSerializer: (message, connection) => {
      act();
      return LINES.createSerializer(message, connection);
    },
  }),
  getBytes: (act: () => void): Converter<string> => {
    const inner = scriptedConverter({});
    return {
      ...inner,
      createSerializer: (message, connection) => {
        const serializer = inner.createSerializer(message, connection);
        return {
          getBytes: (callback) => {
            act();
            return serializer.getBytes(callback);
          },
        };
      },
    };
  },
  'destroy of a serializer': (act: () => void): Converter<string> => ({
    ...LINES,
    createSerializer: (message, connection) =>
      message === 'first'
        ? { getBytes: () => null as never, destroy: act }
        : LINES.createSerializer(message, connection),
  }),
  encode: (act: () => void): Converter<string> =>
    new (class extends LineConverter {
      override encode(message: string, writer: ByteWriter): void {
        writer.writeString(message);
        act();
        writer.writeUInt8(0x0a);
      }
    })(),
  createDeserializer: (act: () => void): Converter<string> =>
    scriptedConverter({ createDeserializer: act }),
  putBytes: (act: () => void): Converter<string> =>
    scriptedConverter({
      putBytes: (data) => {
        act();
        const end = data.indexOf('\n');
        return end === -1 ? [data, WAIT_FOR_MORE] : [data.subarray(end + 1), DONE];
      },
    }),
  'message of a deserializer': (act: () => void): Converter<string> =>
    scriptedConverter({
      message: () => {
        act();
        return 'read';
      },
    }),
  'destroy of a deserializer': (act: () => void): Converter<string> =>
    scriptedConverter({
      putBytes: () => {
        throw new Error('unreadable');
      },
      destroyDeserializer: act,
    }),
  decode: (act: () => void): Converter<string> =>
    new (class extends LineConverter {
      override decode(reader: ByteReader): string | undefined {
        act();
        return super.decode(reader);
      }
    })(),
};

const ACTS: Record<string, (connector: Connector<string>, connection: Connection) => unknown> = {
  send: (connector, connection) => connector.send(connection, 'from within'),
  'withdraw all': (connector, connection) => {
    for (const message of GIVEN) connector.withdraw(connection, message);
  },
  'disconnect with now': (connector, connection) => connector.disconnect(connection, { now: true }),
  'disconnect with finishMessages': (connector, connection) =>
    connector.disconnect(connection, { finishMessages: true }),
  'disconnect with finishQueues': (connector, connection) =>
    connector.disconnect(connection, { finishQueues: true }),
  'shut down with now': (connector) => void connector.shutdown({ now: true }),
  'shut down with finishMessages': (connector) => void connector.shutdown({ finishMessages: true }),
  'shut down with finishQueues': (connector) => void connector.shutdown({ finishQueues: true }),
  'stop listening': (connector) => void connector.stopListening(),
  'wait for flushed and drained': (connector, connection) => {
    connector.flushed(connection).catch(() => undefined);
    void connector.drained(connection);
  },
};

const GIVEN = ['first', 'second', 'third'];

describe.each(Object.entries(PLACES))('from within %s a converter', (_, converterWith) => {
  it.each(Object.entries(ACTS))('may %s', async (name, act) => {
    const errors: Error[] = [];
    let acted = 0;
    let withdrawn = 0;
    let given = GIVEN.length;
    let run = (): void => {};
    const { connector, connection, events, peer } = await sockets.accepted({
      converter: converterWith(() => {
        // Once: the rest of the story is that of the connection.
        if (acted++ === 0) run();
      }),
      onError: (error) => errors.push(error),
      lingerTimeout: 0,
    });
    const withdraw = connector.withdraw.bind(connector);
    connector.withdraw = (of, message) => {
      const isBack = withdraw(of, message);
      if (isBack) withdrawn++;
      return isBack;
    };
    run = () => {
      if (name === 'send') given++;
      act(connector, connection);
    };
    peer.write('line\n');
    for (const message of GIVEN) connector.send(connection, message);
    // Until it has acted, and what it was at has gone on as far as it goes by itself.
    const ended = events.next('finishDisconnect', connection);
    const idle = events
      .next('messageReceived', connection)
      .then(() => connector.flushed(connection));
    await Promise.race([ended, idle.catch(() => undefined)]);

    await connector.shutdown({ finishQueues: true });
    await peer.ended;

    expect(acted).toBeGreaterThan(0);
    expect(errors).toEqual([]);
    const end = await ended;
    expect(events.types().filter((type) => type === 'finishDisconnect')).toHaveLength(1);
    const rejected = events.types().filter((type) => type === 'rejectedMessage').length;
    const sent = peer.text.split('\n').length - 1;
    const cameBack =
      (end.incomplete === undefined ? 0 : 1) + end.queued.length + end.uncertain.length;
    expect(sent + cameBack + rejected + withdrawn).toBe(given);
  });
});

describe('a process', () => {
  let project: Project;
  beforeAll(async () => {
    project = await Project.create();
  });
  afterAll(() => project.remove());

  it('does not end with a promise that a careless converter has rejected', async () => {
    const { code, stdout, stderr } = await project.run({
      code: `
        import { FramedConverter, NetConnector } from 'nestjs-pike/core';
        const failing = async () => { throw new Error('disk full'); };
        const framed = new (class extends FramedConverter {
          async encode() { throw new Error('disk full'); }
          async decode(reader) { reader.skip(1); throw new Error('disk full'); }
        })();
        const plain = [
          { createSerializer: () => ({ getBytes: failing }), createDeserializer: () => ({ putBytes: failing }) },
          { createSerializer: failing, createDeserializer: failing },
        ];
        for (const converter of [framed, ...plain]) {
          const server = new NetConnector({ converter, port: 0, host: '127.0.0.1' });
          const client = new NetConnector({ converter: new (class extends FramedConverter {
            encode(message, writer) { writer.writeString(message); }
            decode() {}
          })() });
          await server.run();
          await client.run();
          const { connection } = await client.connectWaiting(server.address);
          client.send(connection, 'bytes');
          for await (const event of server) {
            if (event.type === 'remoteConnect') {
              server.send(event.connection, 'message');
              event.finishAccept();
            }
            if (event.error) console.log(event.type, event.error.code);
            if (event.type === 'finishDisconnect') break;
          }
          await Promise.all([client, server].map((one) => one.shutdown({ now: true })));
        }
        await new Promise((resolve) => setImmediate(resolve));
        console.log('still here');
      `,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trim().split('\n');
    expect(lines.pop()).toBe('still here');
    expect(lines.toSorted()).toEqual([
      ...Array(3).fill('finishDisconnect PIKE_ERR_DESERIALIZER'),
      ...Array(3).fill('rejectedMessage PIKE_ERR_SERIALIZER'),
    ]);
  });
});

// Prevents: a Nest TCP peer that misreads us or is misread, where lengths count UTF-16 units.
import { afterEach, describe, expect, it } from '@jest/globals';
import { JsonSocket } from '@nestjs/microservices';
import fc from 'fast-check';
import { once } from 'node:events';
import { createServer, Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { NetConnector } from '../core/net/net-connector.js';
import { EventRecorder } from '../../test/support/event-recorder.js';
import { encodeAll, testConverter } from '../testing/converter-contract.js';
import { decodeAll, decodePieces, everySplit } from '../testing/every-split.js';
import { NestTcpConverter } from './nest-tcp.js';

const SAMPLES: unknown[] = [
  null,
  0,
  '',
  { id: '1', pattern: 'sum', data: [1, 2.5] },
  'Größe',
  '\u20ac\u20ac\u20ac',
  '\u{1F600}\u{1F600}',
  { 'é\u{1F600}': ['\u{10FFFF}', '\uffff', 'a lone \ud800 surrogate', '#', '12#'] },
  'x'.repeat(200),
];

testConverter(new NestTcpConverter(), SAMPLES, {
  malformed: {
    'no length': '#{}',
    'a length of nothing': '0#',
    'a length that begins with a zero': '02#{}',
    'zeros without end': '0'.repeat(5000),
    'a negative length': '-2#{}',
    'a length with a fraction': '2.0#{}',
    'a length in hexadecimal': '0x2#{}',
    'a length behind a space': ' 2#{}',
    'a length before letters, which Nest would read': '2abc#{}',
    'another separator': '2:{}',
    'no JSON': '2#{]',
    'a length that is too short': '1#{}',
    'a length that is too long': '3#{}2#{}',
    'a length that ends within a character': '2#"\u{1F600}"',
    'a byte that begins no character': Buffer.from([0x33, 0x23, 0x22, 0xff, 0x22]),
    'a byte that only goes on with one': Buffer.from([0x33, 0x23, 0x22, 0x80, 0x22]),
    'a character that is cut': Buffer.from([0x34, 0x23, 0x22, 0xe2, 0x82, 0x22, 0x22, 0x22]),
    'an overlong character': Buffer.from([0x33, 0x23, 0x22, 0xc0, 0xaf, 0x22]),
    'an encoded surrogate': Buffer.from([0x33, 0x23, 0x22, 0xed, 0xa0, 0x80, 0x22]),
    'a byte order mark': '3#\ufeff{}',
    'a __proto__ member': '23#{"__proto__":{"a":true}}',
    'too deep': `130#${'['.repeat(65)}${']'.repeat(65)}`,
  },
  unsendable: { undefined, 'a bigint': 1n, 'a function': () => 1 },
});

describe('NestTcpConverter', () => {
  it.each([
    [{ a: 1 }, '7#{"a":1}'],
    ['ü', '3#"ü"'],
    ['\u{1F600}', '4#"\u{1F600}"'],
    ['\ud83d', '8#"\\ud83d"'],
  ])('writes %j as %s', async (message, wire) => {
    expect((await encodeAll(new NestTcpConverter(), message)).toString()).toBe(wire);
  });

  it.each(['98#', '999', '9'.repeat(50)])(
    'refuses the length %s before anything of the JSON has arrived',
    async (wire) => {
      const limits = { maxMessageBytes: 100 };
      const { error } = await everySplit(new NestTcpConverter(), Buffer.from(wire), { limits });
      expect(error).toMatchObject({ code: 'PIKE_ERR_MESSAGE_TOO_LARGE' });
    },
  );

  it('counts bytes where the limit is concerned, not units', async () => {
    const wire = Buffer.from(`52#"${'\u20ac'.repeat(50)}"`);
    const converter = new NestTcpConverter();
    const most = { limits: { maxMessageBytes: wire.length } };
    expect(await decodeAll(converter, wire, most)).toHaveLength(1);
    const less = { limits: { maxMessageBytes: wire.length - 1 } };
    expect((await everySplit(converter, wire, less)).error).toMatchObject({
      code: 'PIKE_ERR_MESSAGE_TOO_LARGE',
    });
  });

  it.each([{ maxDepth: 0 }, { delimiter: '#' }])('refuses the options %p', (options) => {
    expect(() => new NestTcpConverter(options as object)).toThrow(
      expect.objectContaining({ code: 'PIKE_ERR_INVALID_OPTION' }),
    );
  });

  it('gives back whatever is sent', async () => {
    const converter = new NestTcpConverter();
    const json = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }));
    await fc.assert(
      fc.asyncProperty(fc.array(json, { maxLength: 4 }), async (messages) => {
        fc.pre(!JSON.stringify(messages).includes('"__proto__":'));
        const wire = await Promise.all(messages.map((each) => encodeAll(converter, each)));
        const { messages: received } = await everySplit(converter, Buffer.concat(wire));
        expect(received).toEqual(JSON.parse(JSON.stringify(messages)));
      }),
      { numRuns: 50 },
    );
  });

  it('gives a message, a wait or a PikeError for any bytes, the same at every cut', async () => {
    const bytes = fc.array(
      fc.constantFrom(...Buffer.from('0123456789#"{}[]é\u20ac\u{1F600}'), 0xff, 0x80),
      { maxLength: 16 },
    );
    const limits = { maxMessageBytes: 10 };
    await fc.assert(
      fc.asyncProperty(bytes, async (input) => {
        const { error } = await everySplit(new NestTcpConverter(), Buffer.from(input), { limits });
        if (error !== undefined) expect(error).toHaveProperty('code');
      }),
    );
  });

  it('looks at each byte a bounded number of times, however they arrive', async () => {
    const text = '\u20ac'.repeat(20_000);
    const wire = Buffer.from(`${text.length + 2}#"${text}"`);
    let looked = 0;
    // The characters are counted by reading bytes one by one: a view that counts how often.
    const counted = (bytes: Buffer): Buffer =>
      new Proxy(bytes, {
        get(target, name) {
          if (typeof name === 'string' && /^\d+$/.test(name)) looked += 1;
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    const deserializer = new NestTcpConverter().createDeserializer(undefined, {
      maxMessageBytes: wire.length,
    });
    for (let end = 1; end < wire.length; end += 97) {
      deserializer.putBytes(counted(wire.subarray(0, end)), () => {});
    }
    deserializer.putBytes(wire, () => {});
    expect(deserializer.message).toBe(text);
    expect(looked).toBeGreaterThan(text.length / 2);
    expect(looked).toBeLessThan(wire.length);
  });
});

describe("Nest's own JsonSocket", () => {
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  const MESSAGES: unknown[] = [
    { pattern: 'sum', data: [1, 2, 3], id: 'abc' },
    { text: 'Größe \u20ac \u{1F600} \ud800 #' },
    { astral: '\u{1F600}'.repeat(50_000) },
    { large: 'x\u20ac'.repeat(150_000) },
    ['the last one'],
  ];

  it('understands us, and is understood', async () => {
    const converter = new NestTcpConverter();
    const connector = new NetConnector({ converter, host: '127.0.0.1', port: 0 });
    closers.push(() => connector.shutdown({ now: true }));
    await connector.run();
    const events = new EventRecorder(connector);
    const { port } = connector.address as { host: string; port: number };
    const nest = new JsonSocket(new Socket());
    closers.push(() => nest.netSocket.destroy());
    nest.connect(port, '127.0.0.1');
    await once(nest.netSocket, 'connect');
    for (const message of MESSAGES) nest.sendMessage(message);

    const { connection } = await events.next('remoteConnect');
    for (const message of MESSAGES) {
      expect((await events.next('messageReceived')).message).toEqual(message);
    }

    const echoed = receivedBy(nest, MESSAGES.length);
    for (const message of MESSAGES) connector.send(connection, message);
    expect(await echoed).toEqual(MESSAGES);
  });

  it('understands us although every character is cut', async () => {
    const converter = new NestTcpConverter();
    const message = { text: '\u{1F600}é\u20ac'.repeat(20) };
    const wire = Buffer.concat([
      await encodeAll(converter, message),
      await encodeAll(converter, [1]),
    ]);
    const server = createServer((socket) => {
      socket.setNoDelay(true);
      void writeSlowly(socket, wire);
    });
    closers.push(() => server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const nest = new JsonSocket(new Socket());
    closers.push(() => nest.netSocket.destroy());
    nest.connect((server.address() as AddressInfo).port, '127.0.0.1');
    expect(await receivedBy(nest, 2)).toEqual([message, [1]]);
  });

  it('writes what we read at every cut', async () => {
    const server = createServer();
    closers.push(() => server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const arrives = once(server, 'connection') as Promise<[Socket]>;
    const nest = new JsonSocket(new Socket());
    nest.connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [socket] = await arrives;
    const messages = [{ text: '\u{1F600}é\u20ac\ud800' }, '\u{10FFFF}', {}];
    for (const message of messages) nest.sendMessage(message);
    nest.end();
    const wire = Buffer.concat(await socket.toArray());
    expect((await everySplit(new NestTcpConverter(), wire)).messages).toEqual(messages);
  });

  it('counts as we do, whatever the text', async () => {
    // Its own way to find the end, without its sockets: what it hands on is compared.
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        const nest = new JsonSocket(new Socket());
        const received = receivedBy(nest, 2);
        const ours = await Promise.all(
          [{ text }, [1]].map((each) => encodeAll(new NestTcpConverter(), each)),
        );
        nest.netSocket.emit('data', Buffer.concat(ours));
        const theirs = await received;
        expect(theirs).toEqual([{ text }, [1]].map((each) => JSON.parse(JSON.stringify(each))));
        const { messages } = await decodePieces(new NestTcpConverter(), ours);
        expect(messages).toEqual(theirs);
      }),
    );
  });
});

function receivedBy(nest: JsonSocket, count: number): Promise<unknown[]> {
  const received: unknown[] = [];
  return new Promise((resolve, reject) => {
    nest.on('error', (error: unknown) => reject(new Error(String(error))));
    nest.on('message', (message: unknown) => {
      received.push(message);
      if (received.length === count) resolve(received);
    });
  });
}

/** A byte at a time, each in a packet of its own as far as the system lets it. */
async function writeSlowly(socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

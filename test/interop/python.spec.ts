// Prevents: converters that understand only themselves. A peer in Python, written from the
// description of the original's wire format and from Python's own `str` and `repr`, speaks with ours.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Primitives } from 'nestjs-pike/converters';
import type { Converter, Endpoint, FramedConverter } from 'nestjs-pike/core';
import { NetConnector } from 'nestjs-pike/core';
import { accept } from '../support/event-recorder.js';
import { freePort } from '../support/free-port.js';
import { Project } from '../support/project.js';
import { Random } from '../support/random.js';
import { useSockets } from '../support/use-sockets.js';
import { AWKWARD_VALUES } from './awkward-values.js';
import { callFromPython, pythonVersion, servePython, withoutPython } from './python.js';
import type { Kind } from './python.js';

const CONVERTERS = {
  bool: Primitives.BOOL_CONVERTER,
  int: Primitives.INT_CONVERTER,
  float: Primitives.FLOAT_CONVERTER,
  string: Primitives.STRING_CONVERTER,
} as Record<Kind, FramedConverter<unknown>>;
const KINDS = Object.keys(CONVERTERS) as Kind[];

const EXITED = { code: 0, signal: null, stderr: '' };
/**
 * How often the awkward values must be sent to go on for so long, byte by byte, that some are read
 * in parts, on however busy a machine: some 30 000 bytes, or more.
 */
const TIMES: Record<Kind, number> = { bool: 1000, int: 6, float: 80, string: 1 };
/** Starting Python takes its time on a busy machine. */
const PATIENCE = 60_000;

const sockets = useSockets();

interface Options {
  port?: number;
  chunkBytes?: number;
}

function connectorOf(kind: Kind, options: Options = {}): NetConnector<unknown> {
  const host = options.port === undefined ? {} : { host: '127.0.0.1' };
  // In chunks, a framed message would stay whole; through its serializers it does not.
  const converter = options.chunkBytes === undefined ? CONVERTERS[kind] : plain(CONVERTERS[kind]);
  const connector = new NetConnector({ converter, ...host, ...options });
  sockets.defer(() => connector.shutdown({ now: true }));
  return connector;
}

/** The same protocol without the fast path: by a serializer and a deserializer for each message. */
function plain(converter: FramedConverter<unknown>): Converter<unknown> {
  return {
    createSerializer: (message, connection) => converter.createSerializer(message, connection),
    createDeserializer: (connection, limits) => converter.createDeserializer(connection, limits),
  };
}

/** Sends messages, all in one turn, and returns what came back: one message for each. */
async function exchange(
  kind: Kind,
  endpoint: Endpoint,
  messages: unknown[],
  options?: Options,
): Promise<unknown[]> {
  const connector = connectorOf(kind, options);
  await connector.run();
  const connection = connector.connect(endpoint);
  for (const message of messages) connector.send(connection, message);
  const received: unknown[] = [];
  for await (const event of connector) {
    if (event.type === 'messageReceived') received.push(event.message);
    // The peer says on its error output what was wrong: the caller compares that, too.
    if (event.type === 'remoteDisconnect' || event.type === 'finishDisconnect') break;
    if (received.length === messages.length) break;
  }
  await connector.shutdown({ finishQueues: true });
  return received;
}

/** A running connector that answers each message; it resolves `ended` when its peer has ended. */
async function answering(
  kind: Kind,
  reply: (message: unknown) => unknown,
): Promise<{ port: number; ended: Promise<unknown[]> }> {
  const connector = connectorOf(kind, { port: 0 });
  await connector.run();
  const received: unknown[] = [];
  const ended = new Promise<unknown[]>((resolve) =>
    connector.subscribe((event) => {
      accept(event);
      if (event.type === 'messageReceived') {
        received.push(event.message);
        connector.send(event.connection, reply(event.message));
      } else if (event.type === 'remoteDisconnect' || event.type === 'finishDisconnect') {
        resolve([...received, ...(event.error === undefined ? [] : [event.error])]);
      }
    }),
  );
  return { port: (connector.address as { port: number }).port, ended };
}

/** How often messages had not wholly arrived when we came to read them, from now on. */
function countPartialReads(kind: Kind): () => number {
  const decode = jest.spyOn(CONVERTERS[kind], 'decode');
  sockets.defer(async () => decode.mockRestore());
  return () => decode.mock.results.filter(({ value }) => value === undefined).length;
}

function awkwardValues(kind: Kind, times: number): unknown[] {
  return Array.from({ length: times }, (): unknown[] => AWKWARD_VALUES[kind]).flat();
}

/** Floats of every magnitude: 64 bits by chance, and decimals of a few digits. */
function floatsByChance(count: number): number[] {
  const random = new Random(1);
  const bits = new DataView(new ArrayBuffer(8));
  return Array.from({ length: count }, (_, index) => {
    if (index % 2 === 0) return Number(`${random.below(1e6)}e${random.below(60) - 30}`);
    bits.setUint32(0, random.below(2 ** 32));
    bits.setUint32(4, random.below(2 ** 32));
    return bits.getFloat64(0);
  });
}

function interop(): void {
  describe('a server in Python', () => {
    it.each(KINDS)(
      'understands the %ss that we send in one go, and we its replies',
      async (kind) => {
        const { program, endpoint } = await servePython({ kind, reply: 'echo' });
        const received = await exchange(kind, endpoint, AWKWARD_VALUES[kind]);
        expect(await program.ended).toMatchObject(EXITED);
        expect(received).toEqual(AWKWARD_VALUES[kind]);
      },
      PATIENCE,
    );

    it.each(KINDS)(
      'understands the %ss that we send byte by byte',
      async (kind) => {
        const { program, endpoint } = await servePython({ kind, reply: 'echo' });
        const received = await exchange(kind, endpoint, AWKWARD_VALUES[kind], { chunkBytes: 1 });
        expect(await program.ended).toMatchObject(EXITED);
        expect(received).toEqual(AWKWARD_VALUES[kind]);
      },
      PATIENCE,
    );

    it.each(KINDS)(
      'is understood when its %ss arrive byte by byte',
      async (kind) => {
        const values = awkwardValues(kind, TIMES[kind]);
        const partialReads = countPartialReads(kind);
        const { program, endpoint } = await servePython({ kind, reply: 'echo', byteByByte: true });
        const received = await exchange(kind, endpoint, values);
        expect(await program.ended).toMatchObject(EXITED);
        expect(received).toEqual(values);
        expect(partialReads()).toBeGreaterThan(0);
      },
      PATIENCE,
    );

    it(
      'means by a number what we mean by it',
      async () => {
        const { program, endpoint } = await servePython({ kind: 'int', reply: 'double' });
        const values = AWKWARD_VALUES.int.slice(0, -1).map(BigInt);
        const received = await exchange('int', endpoint, values);
        expect(await program.ended).toMatchObject(EXITED);
        expect(received.map((value) => BigInt(value as number | bigint))).toEqual(
          values.map((value) => 2n * value),
        );
      },
      PATIENCE,
    );

    it(
      'finds each of 20 000 floats, coalesced, exactly as its own repr writes it',
      async () => {
        const { program, endpoint } = await servePython({ kind: 'float', reply: 'echo' });
        const values = floatsByChance(20_000);
        const received = await exchange('float', endpoint, values);
        expect(await program.ended).toMatchObject(EXITED);
        expect(received).toEqual(values);
      },
      PATIENCE,
    );

    it(
      'gets a replacement character for half of one',
      async () => {
        const { program, endpoint } = await servePython({ kind: 'string', reply: 'double' });
        await expect(exchange('string', endpoint, ['a\ud83d'])).resolves.toEqual(['a�a�']);
        expect(await program.ended).toMatchObject(EXITED);
      },
      PATIENCE,
    );
  });

  describe('a client in Python', () => {
    it.each(KINDS)(
      'is understood when it sends %ss in one go, and understands the replies',
      async (kind) => {
        const { port, ended } = await answering(kind, (message) => message);
        const client = callFromPython({ kind, reply: 'echo', port });
        expect(await client.ended).toMatchObject(EXITED);
        await expect(ended).resolves.toEqual(AWKWARD_VALUES[kind]);
      },
      PATIENCE,
    );

    it.each(KINDS)(
      'is understood when it sends %ss byte by byte',
      async (kind) => {
        const partialReads = countPartialReads(kind);
        const { port, ended } = await answering(kind, (message) => message);
        const client = callFromPython({
          kind,
          reply: 'echo',
          port,
          byteByByte: true,
          times: TIMES[kind],
        });
        expect(await client.ended).toMatchObject(EXITED);
        await expect(ended).resolves.toEqual(awkwardValues(kind, TIMES[kind]));
        expect(partialReads()).toBeGreaterThan(0);
      },
      PATIENCE,
    );

    it(
      'gets floats doubled as Python doubles them',
      async () => {
        const { port } = await answering('float', (message) => (message as number) * 2);
        const client = callFromPython({ kind: 'float', reply: 'double', port });
        expect(await client.ended).toMatchObject(EXITED);
      },
      PATIENCE,
    );
  });

  describe('the doubler', () => {
    let project: Project;
    beforeAll(async () => {
      project = await Project.create();
      await project.addFolder('sample/01-doubler');
    });
    afterAll(() => project.remove());

    it(
      'has a client that a server in Python serves',
      async () => {
        const server = await servePython({ kind: 'float', reply: 'double' });
        const client = await project.run({
          file: 'sample/01-doubler/client.js',
          args: [`127.0.0.1:${server.endpoint.port}`, '1', '2.5', '-21', '1e16', '5e-324'],
        });
        expect(await server.program.ended).toMatchObject(EXITED);
        expect(client).toEqual({
          ...EXITED,
          stdout: [
            '1 doubled is 2',
            '2.5 doubled is 5',
            '-21 doubled is -42',
            '10000000000000000 doubled is 20000000000000000',
            '5e-324 doubled is 1e-323\n',
          ].join('\n'),
        });
      },
      PATIENCE,
    );

    it(
      'serves a client in Python',
      async () => {
        const port = await freePort();
        const server = project.start({ file: 'sample/01-doubler/main.js', args: [`${port}`] });
        await server.prints(`127.0.0.1:${port}`);
        for (const numbers of [[1, 2.5, -21], []]) {
          const client = callFromPython({ kind: 'float', reply: 'double', port, numbers });
          const count = numbers.length === 0 ? AWKWARD_VALUES.float.length : numbers.length;
          expect(await client.ended).toEqual({
            ...EXITED,
            stdout: `${count} replies are right\n`,
          });
        }
        server.kill('SIGTERM');
        expect(await server.ended).toMatchObject({ signal: 'SIGTERM', stderr: '' });
      },
      PATIENCE,
    );
  });
}

const version = pythonVersion();

if (version === undefined) {
  // A test of its own, since a suite without one fails, and a skipped one would, too.
  it('is not run: there is no python3', () => {
    const notice = withoutPython({ mustRun: process.env['CI'] === 'true' });
    process.stderr.write(`\n${notice}\n`);
    expect(notice).toContain('NOT TESTED');
  });
} else {
  describe(`with Python ${version}`, interop);
}

describe('a machine without Python', () => {
  it('is told what was not tested', () => {
    expect(withoutPython({ mustRun: false })).toMatch(/NOT TESTED against Python/);
  });

  it('fails when it is the one on which everything must run', () => {
    expect(() => withoutPython({ mustRun: true })).toThrow(/install python3/);
  });
});

/*
 * Prevents: an awkward moment or a careless caller of receiveFrom and merge losing an event,
 * reordering or doubling it, leaving somebody waiting for ever, or letting a peer whose queue nobody
 * reads fill the memory.
 */
import { describe, expect, it } from '@jest/globals';
import { FramedConverter } from 'nestjs-pike/core';
import type {
  ByteReader,
  Connection,
  ConnectorEvent,
  Connector,
  RemoteConnectEvent,
} from 'nestjs-pike/core';
import { EventRecorder, acceptNobody } from '../support/event-recorder.js';
import { settled } from '../support/eventually.js';
import { LineConverter } from '../support/line-converter.js';
import type { RawPeer } from '../support/raw-peer.js';
import { pikeErrorOf } from '../support/rejections.js';
import { addressOf, useSockets } from '../support/use-sockets.js';

const sockets = useSockets();
const LISTENING = { port: 0, host: '127.0.0.1' };

type Options = Parameters<typeof sockets.running>[0];

interface Separate {
  connector: Connector<string>;
  connection: Connection;
  peer: RawPeer;
}

/** An arriving connection; nobody receives from the shared queue. */
async function arriving(
  options: Options = {},
): Promise<Separate & { arrival: RemoteConnectEvent }> {
  const connector = await sockets.running({ ...LISTENING, ...options });
  const peer = await sockets.peer(addressOf(connector));
  const arrival = await connector.receive();
  if (arrival?.type !== 'remoteConnect') throw new Error('No RemoteConnect came.');
  return { connector, connection: arrival.connection, peer, arrival };
}

/** An inbound connection that is managed separately. */
async function separate(options: Options = {}): Promise<Separate> {
  const { arrival, ...rest } = await arriving(options);
  arrival.finishAccept({ separate: true });
  return rest;
}

/** Messages as their text, other events as their type. */
function show(event: ConnectorEvent<string> | undefined): string | undefined {
  return event?.type === 'messageReceived' ? event.message : event?.type;
}

/** Everything that receiveFrom gives, up to the `undefined` that ends it. */
async function receiveAll({ connector, connection }: Separate): Promise<(string | undefined)[]> {
  const shown: (string | undefined)[] = [];
  for (;;) {
    const event = await connector.receiveFrom(connection);
    if (event === undefined) return shown;
    shown.push(show(event));
  }
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`);
}

function lines(messages: readonly string[]): string {
  return messages.map((message) => `${message}\n`).join('');
}

describe('receiveFrom, called several times at once', () => {
  it('gives each caller one event, in the order of the calls, and the rest undefined', async () => {
    const { connector, connection, peer } = await separate();
    const waiting = numbers(1, 5).map(() => connector.receiveFrom(connection));
    peer.write('one\ntwo\n');
    peer.end();

    expect((await Promise.all(waiting)).map(show)).toEqual([
      'one',
      'two',
      'remoteDisconnect',
      undefined,
      undefined,
    ]);
  });

  it('leaves nobody waiting when it is merged, and gives nobody what comes later', async () => {
    const { connector, connection, peer } = await separate();
    const waiting = numbers(1, 5).map(() => connector.receiveFrom(connection));
    peer.write('one\n');
    expect(show(await waiting[0])).toBe('one');

    connector.merge(connection);
    peer.write('two\n');

    expect(await Promise.all(waiting.slice(1))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(show(await connector.receive())).toBe('two');
  });

  it('of several connections keeps each with its own', async () => {
    const one = await separate();
    const otherPeer = await sockets.peer(addressOf(one.connector));
    const arrival = (await one.connector.receive()) as RemoteConnectEvent;
    arrival.finishAccept({ separate: true });
    const other = { ...one, connection: arrival.connection };
    const received = [receiveAll(one), receiveAll(other)];

    one.peer.write(lines(numbers(1, 100)));
    otherPeer.write(lines(numbers(101, 200)));
    one.peer.end();
    otherPeer.end();

    expect(await Promise.all(received)).toEqual([
      [...numbers(1, 100), 'remoteDisconnect'],
      [...numbers(101, 200), 'remoteDisconnect'],
    ]);
  });
});

describe('receiveFrom after the end', () => {
  it('gives what is left, then undefined as often as it is called', async () => {
    const { connector, connection, peer } = await separate();
    peer.write('one\n');
    expect(show(await connector.receiveFrom(connection))).toBe('one');
    peer.write('two\n');
    peer.end();
    await peer.ended;
    await connector.shutdown({ now: true });

    expect(await receiveAll({ connector, connection, peer })).toEqual(['two', 'remoteDisconnect']);
    expect(await connector.receiveFrom(connection)).toBeUndefined();
  });

  it('does not wait until the peer of a connection that we have ended goes away', async () => {
    // Nothing but the peer's end would end the lingering: the test would not.
    const { connector, connection } = await separate({ lingerTimeout: 2_147_483_647 });

    connector.disconnect(connection, { finishQueues: true });

    expect(show(await connector.receiveFrom(connection))).toBe('finishDisconnect');
    expect(await connector.receiveFrom(connection)).toBeUndefined();
  });
});

describe('merge, at an awkward moment', () => {
  it('from within the listener of the shared queue keeps the order', async () => {
    const { connector, connection, peer } = await separate();
    peer.write(lines(['name', ...numbers(1, 50)]));
    expect(show(await connector.receiveFrom(connection))).toBe('name');
    const other = await sockets.peer(addressOf(connector));
    const events = new EventRecorder(connector, (event) => {
      if (event.type !== 'remoteConnect') return;
      event.finishAccept();
      connector.merge(connection);
    });
    peer.write(lines(numbers(51, 100)));
    peer.end();

    await events.next('remoteDisconnect', connection);
    expect(events.messages(connection)).toEqual(numbers(1, 100));
    expect(events.types(connection).at(-1)).toBe('remoteDisconnect');
    await other.destroy();
  });

  it('with somebody waiting on the shared queue gives it the oldest event', async () => {
    const { connector, connection, peer } = await separate();
    peer.write('name\none\ntwo\n');
    expect(show(await connector.receiveFrom(connection))).toBe('name');
    const waiting = [connector.receive(), connector.receive(), connector.receive()];

    connector.merge(connection);
    peer.write('three\n');

    expect((await Promise.all(waiting)).map(show)).toEqual(['one', 'two', 'three']);
  });

  it('within finishAccept’s own turn, before anything has come', async () => {
    const { connector, connection, peer, arrival } = await arriving();
    peer.write('one\n');
    arrival.finishAccept({ separate: true });

    connector.merge(connection);

    expect(show(await connector.receive())).toBe('one');
  });

  it('after the end, hands the rest to the shared queue once', async () => {
    const { connector, connection, peer } = await separate();
    peer.write('one\n');
    expect(show(await connector.receiveFrom(connection))).toBe('one');
    peer.write('two\n');
    peer.end();
    await peer.ended;

    connector.merge(connection);

    expect(show(await connector.receive())).toBe('two');
    expect(show(await connector.receive())).toBe('remoteDisconnect');
    expect(await pikeErrorOf(() => connector.merge(connection))).toMatchObject({
      code: 'PIKE_ERR_NOT_SEPARATE',
    });
    await connector.shutdown({ now: true });
    expect(await connector.receive()).toBeUndefined();
  });

  it('after everything was taken, its end included, adds nothing to the shared queue', async () => {
    const { connector, connection, peer } = await separate();
    peer.end();
    await receiveAll({ connector, connection, peer });

    connector.merge(connection);

    await connector.shutdown({ now: true });
    expect(await connector.receive()).toBeUndefined();
  });

  it('after shutdown has resolved, still gives what was left', async () => {
    const { connector, connection, peer } = await separate();
    peer.write('one\n');
    peer.end();
    await peer.ended;
    await connector.shutdown({ now: true });

    connector.merge(connection);

    expect(show(await connector.receive())).toBe('one');
    expect(show(await connector.receive())).toBe('remoteDisconnect');
    expect(await connector.receive()).toBeUndefined();
  });

  it('again and again while the peer sends loses, doubles and reorders nothing', async () => {
    const connector = await sockets.running({ ...LISTENING, maxPendingEvents: 8 });
    const received = new Map<Connection, string[]>();
    const record = (event: ConnectorEvent<string> | undefined): void => {
      if (event?.type === 'messageReceived') received.get(event.connection)?.push(event.message);
    };
    const separately = async (connection: Connection, count: number): Promise<void> => {
      for (let i = 0; i < count; i++) record(await connector.receiveFrom(connection));
      connector.merge(connection);
    };
    let ended = 0;
    const allEnded = new Promise<void>((resolve) => {
      connector.subscribe((event) => {
        record(event);
        if (event.type === 'remoteDisconnect' && ++ended === 20) resolve();
        if (event.type !== 'remoteConnect') return;
        received.set(event.connection, []);
        event.finishAccept({ separate: true });
        void separately(event.connection, received.size * 7);
      });
    });
    for (let i = 0; i < 20; i++) {
      const peer = await sockets.peer(addressOf(connector));
      peer.write(lines(numbers(1, 500)));
      peer.end();
    }

    await allEnded;
    expect([...received.values()]).toEqual(Array.from({ length: 20 }, () => numbers(1, 500)));
  });
});

describe('finishAccept({ separate: true })', () => {
  it.each([{ now: true }, { finishMessages: true }, { finishQueues: true }] as const)(
    'and shutdown with %j in the same turn: the end comes by receiveFrom, and nothing hangs',
    async (how) => {
      const { connector, connection, peer, arrival } = await arriving();
      arrival.finishAccept({ separate: true });
      const waiting = receiveAll({ connector, connection, peer });

      const shutdown = connector.shutdown(how);
      await peer.ended;
      peer.end();
      await shutdown;

      expect(await waiting).toEqual(['finishDisconnect']);
      expect(await connector.receive()).toBeUndefined();
    },
  );

  it('and disconnect in the same turn: what is given to send is sent or comes back', async () => {
    const { connector, connection, peer, arrival } = await arriving();
    connector.send(connection, 'welcome');
    arrival.finishAccept({ separate: true });
    connector.disconnect(connection, { finishQueues: true });
    connector.send(connection, 'late');

    await peer.ended;
    peer.end();
    expect(peer.text).toBe('welcome\n');
    expect(await receiveAll({ connector, connection, peer })).toEqual([
      'rejectedMessage',
      'finishDisconnect',
    ]);
  });

  it('of a peer that has reset meanwhile gives its end, by receiveFrom', async () => {
    const { connector, connection, peer, arrival } = await arriving();
    peer.reset();
    await peer.closed;
    expect(arrival.finishAccept({ separate: true })).toBe(true);

    expect(await receiveAll({ connector, connection, peer })).toEqual(['remoteDisconnect']);
  });

  it('too late makes nothing separate', async () => {
    const { connector, connection, arrival } = await arriving();
    connector.disconnect(connection, { now: true });
    expect(arrival.finishAccept({ separate: true })).toBe(false);

    expect(await pikeErrorOf(() => connector.receiveFrom(connection))).toMatchObject({
      code: 'PIKE_ERR_NOT_SEPARATE',
    });
    expect(show(await connector.receive())).toBe('finishDisconnect');
  });
});

describe('before it is accepted, a connection', () => {
  it('can be neither received from nor merged; the error says what to wait for', async () => {
    const { connector, connection } = await arriving();

    for (const use of [
      () => connector.receiveFrom(connection),
      () => connector.merge(connection),
    ]) {
      expect(await pikeErrorOf(use)).toMatchObject({
        code: 'PIKE_ERR_NOT_SEPARATE',
        message: expect.stringContaining('accepted'),
      });
    }
  });
});

describe('onFinish of connectWaiting, where separate was not asked for', () => {
  it('can neither receive nor merge: the events wait until it has returned', async () => {
    const listener = await sockets.listener();
    const { connector, events } = await sockets.client();
    const codes: string[] = [];

    await connector.connectWaiting(listener.address, {
      onFinish: async (connection) => {
        (await listener.accept()).write('one\n');
        for (const use of [
          () => connector.receiveFrom(connection),
          () => connector.merge(connection),
        ]) {
          codes.push((await pikeErrorOf(use)).code);
        }
        expect(events.all).toEqual([]);
      },
    });

    expect(codes).toEqual(['PIKE_ERR_NOT_SEPARATE', 'PIKE_ERR_NOT_SEPARATE']);
    expect(await events.next('messageReceived')).toMatchObject({ message: 'one' });
  });
});

describe('onFinish of connectWaiting with separate', () => {
  it('may negotiate and merge', async () => {
    const listener = await sockets.listener();
    const { connector, events } = await sockets.client();

    const { connection } = await connector.connectWaiting(listener.address, {
      separate: true,
      onFinish: async (opened) => {
        const peer = await listener.accept();
        peer.write('name?\none\n');
        expect(show(await connector.receiveFrom(opened))).toBe('name?');
        connector.merge(opened);
      },
    });

    expect(await events.next('messageReceived', connection)).toMatchObject({ message: 'one' });
    expect(await pikeErrorOf(() => connector.receiveFrom(connection))).toMatchObject({
      code: 'PIKE_ERR_NOT_SEPARATE',
    });
  });

  it('that has failed leaves nobody waiting', async () => {
    const { connector } = await sockets.client();
    const { connection, success } = await connector.connectWaiting(
      { path: '/nobody/listens/here' },
      { separate: true },
    );

    expect(success).toBe(false);
    expect(await connector.receiveFrom(connection)).toBeUndefined();
  });
});

describe('what is given to send on a connection whose queue is handed over', () => {
  it('has one fate each, told once, on one queue or the other', async () => {
    const { connector, connection, peer } = await separate({
      maxQueuedMessages: 50,
      chunkBytes: 64,
    });
    peer.pause();
    const given = numbers(1, 300).map((number) => number.padEnd(100_000, '.'));
    const rejected: string[] = [];
    const returned: string[] = [];
    const count = (event: ConnectorEvent<string> | undefined): boolean => {
      if (event?.type === 'rejectedMessage') rejected.push(event.message);
      if (event?.type !== 'finishDisconnect') return event !== undefined;
      const { incomplete, queued, uncertain } = event;
      expect(uncertain).toEqual([]);
      if (incomplete !== undefined) returned.push(incomplete);
      returned.push(...queued);
      return false;
    };
    for (const message of given.slice(0, 150)) connector.send(connection, message);
    count(await connector.receiveFrom(connection));
    connector.merge(connection);
    for (const message of given.slice(150)) connector.send(connection, message);
    connector.disconnect(connection, { now: true });

    while (count(await connector.receive()));
    peer.resume();
    await peer.ended;
    const sent = peer.text.split('\n').slice(0, -1);
    expect(rejected.length).toBeGreaterThan(200);
    expect([...sent, ...returned, ...rejected].toSorted()).toEqual(given.toSorted());
  });
});

/** Lines, of which it counts those that were decoded: what has been let in, taken or not. */
class CountingConverter extends LineConverter {
  decoded = 0;

  override decode(reader: ByteReader): string | undefined {
    const line = super.decode(reader);
    if (line !== undefined) this.decoded++;
    return line;
  }
}

describe('a peer whose separate queue nobody reads', () => {
  const READ = 65_536;
  const SENT = 8_000_000;

  it.each([
    ['many small messages', 100, 65_536],
    ['messages as large as may be', 1_000_000, 1_048_576],
    ['messages of a quarter of that', 250_000, 1_048_576],
  ])(
    'is let in with no more than maxMessageBytes and a read more: %s',
    async (_, size, maxMessageBytes) => {
      const converter = new CountingConverter();
      const { connector, connection, peer } = await separate({ converter, maxMessageBytes });
      const message = 'x'.repeat(size - 1);
      const count = SENT / size;
      peer.write(`${message}\n`.repeat(count));
      peer.end();

      const letIn = await settled(() => converter.decoded);
      expect(letIn * size).toBeLessThanOrEqual(maxMessageBytes + READ);

      // Nothing is lost by waiting.
      const received = await receiveAll({ connector, connection, peer });
      expect(received).toHaveLength(count + 1);
      expect(received.slice(0, -1).every((text) => text === message)).toBe(true);
    },
    30_000,
  );

  it('is read on, once it is merged, as if it had never been separate', async () => {
    const { connector, connection, peer } = await separate({ maxPendingEvents: 10 });
    const sent = numbers(1, 20_000);
    peer.write(lines(sent));
    peer.end();
    const events = new EventRecorder(connector, acceptNobody);

    connector.merge(connection);

    await events.next('remoteDisconnect', connection);
    expect(events.messages()).toEqual(sent);
  });

  it('keeps nobody from shutting down, and gets what it was sent', async () => {
    const { connector, connection, peer } = await separate({ maxPendingEvents: 10 });
    peer.write('x\n'.repeat(1_000_000));
    connector.send(connection, 'goodbye');

    const shutdown = connector.shutdown({ finishQueues: true });
    await peer.ended;
    peer.end();
    await shutdown;

    expect(peer.text).toBe('goodbye\n');
    expect((await receiveAll({ connector, connection, peer })).at(-1)).toBe('finishDisconnect');
  });
});

describe('a message of a connection whose queue is handed over', () => {
  /** Reads a line, and calls back while it is at it: within the decoding of a further one. */
  class MeddlingConverter extends FramedConverter<string> {
    readonly #lines = new LineConverter();
    meddle: (line: string) => void = () => {};

    encode(): void {}

    decode(reader: ByteReader): string | undefined {
      const line = this.#lines.decode(reader);
      if (line !== undefined) this.meddle(line);
      return line;
    }
  }

  it('keeps its place though it was merged in the middle of decoding', async () => {
    const converter = new MeddlingConverter();
    const { connector, connection, peer } = await separate({ converter });
    converter.meddle = (line) => {
      if (line === 'two') connector.merge(connection);
    };
    peer.write('one\ntwo\nthree\n');

    const received = [];
    for (let i = 0; i < 3; i++) received.push(show(await connector.receive()));
    expect(received).toEqual(['one', 'two', 'three']);
  });
});

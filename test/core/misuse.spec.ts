/*
 * Prevents: a call that is wrong, or comes at the wrong time, and hangs, is silently ignored, or
 * crashes the process later, far from the line with the mistake.
 */
import { describe, expect, it } from '@jest/globals';
import { NetConnector, isPikeError } from 'nestjs-pike/core';
import type { Connection, Connector, Finish, PikeErrorCode } from 'nestjs-pike/core';
import { Primitives } from 'nestjs-pike/converters';
import type { EventRecorder } from '../support/event-recorder.js';
import { acceptNobody } from '../support/event-recorder.js';
import { LineConverter } from '../support/line-converter.js';
import { addressOf, useSockets } from '../support/use-sockets.js';

type Lines = Connector<string>;

const sockets = useSockets();
const LISTENING = { port: 0, host: '127.0.0.1' };
const NOW = { now: true } as const;
/** Whether somebody listens there is all the same: it is only dialled. */
const SOMEWHERE = { host: '127.0.0.1', port: 9 };

/** How a call ended: it threw at once, its promise was rejected, or it returned or resolved. */
async function outcomeOf(call: () => unknown): Promise<string> {
  let returned: unknown;
  try {
    returned = call();
  } catch (thrown) {
    return `throws ${codeOf(thrown)}`;
  }
  try {
    const value = await returned;
    return typeof value === 'object' || typeof value === 'function'
      ? 'works'
      : `gives ${String(value)}`;
  } catch (reason) {
    return `rejects ${codeOf(reason)}`;
  }
}

function codeOf(thrown: unknown): string {
  return isPikeError(thrown) ? thrown.code.replace('PIKE_ERR_', '') : String(thrown);
}

describe('each method in each phase of a connector', () => {
  const PHASES: Record<string, () => Promise<Lines>> = {
    'before run': async () => sockets.idle(LISTENING),
    'while starting': async () => {
      const connector = sockets.idle(LISTENING);
      void connector.run();
      return connector;
    },
    'after run has failed': async () => {
      const connector = sockets.idle((await sockets.listener()).address);
      await connector.run().catch(() => undefined);
      return connector;
    },
    running: () => sockets.running(LISTENING),
    'shutting down': async () => {
      const { connector, connection } = await sockets.accepted({ lingerTimeout: 60_000 });
      connector.disconnect(connection, { finishQueues: true });
      void connector.shutdown({ finishQueues: true });
      return connector;
    },
    'shut down': async () => {
      const connector = await sockets.running(LISTENING);
      await connector.shutdown(NOW);
      return connector;
    },
  };

  const REFUSED_BEFORE = ['NOT_RUNNING', 'NOT_RUNNING', 'NOT_RUNNING'];
  const OK = 'works';
  const VOID = 'gives undefined';

  it.each<[string, (connector: Lines) => unknown, string[]]>([
    [
      'run',
      (connector) => connector.run(),
      [VOID, ...Array.from({ length: 5 }, () => 'rejects ALREADY_RUNNING')],
    ],
    [
      'connect',
      (connector) => connector.connect(SOMEWHERE),
      [
        ...REFUSED_BEFORE.map((code) => `throws ${code}`),
        OK,
        'throws SHUT_DOWN',
        'throws SHUT_DOWN',
      ],
    ],
    [
      'connectWaiting',
      (connector) => connector.connectWaiting(SOMEWHERE, { signal: AbortSignal.abort() }),
      [
        ...REFUSED_BEFORE.map((code) => `rejects ${code}`),
        OK,
        'rejects SHUT_DOWN',
        'rejects SHUT_DOWN',
      ],
    ],
    ['stopListening', (connector) => connector.stopListening(), Array(6).fill(VOID)],
    ['shutdown', (connector) => connector.shutdown(NOW), Array(6).fill(VOID)],
    [
      'shutdown, told nothing',
      (connector) => connector.shutdown({} as Finish),
      Array(6).fill('rejects INVALID_FINISH'),
    ],
    ['connections', (connector) => [...connector.connections], Array(6).fill(OK)],
    [
      'receive, the connector being shut down behind it',
      (connector) => {
        const received = connector.receive();
        void connector.shutdown(NOW);
        return received.then((event) => event?.type);
      },
      // The connection that is shutting down belongs to a connector with a subscriber.
      [VOID, VOID, VOID, VOID, 'rejects SUBSCRIBED', VOID],
    ],
    [
      'subscribe',
      (connector) => connector.subscribe(() => {}),
      [OK, OK, OK, OK, 'throws SUBSCRIBED', OK],
    ],
    [
      'subscribe, given no listener',
      (connector) => connector.subscribe(undefined as never),
      Array(6).fill('throws INVALID_OPTION'),
    ],
  ])('%s', async (_, call, expected) => {
    const outcomes: string[] = [];
    for (const make of Object.values(PHASES)) {
      const connector = await make();
      outcomes.push(await outcomeOf(() => call(connector)));
    }
    expect(Object.fromEntries(Object.keys(PHASES).map((phase, i) => [phase, outcomes[i]]))).toEqual(
      Object.fromEntries(Object.keys(PHASES).map((phase, i) => [phase, expected[i]])),
    );
  });

  it('stopListening before run does nothing: run listens', async () => {
    const connector = sockets.idle(LISTENING);
    await connector.stopListening();
    await connector.run();
    expect(await sockets.peer(addressOf(connector))).toBeDefined();
  });

  it('stopListening while starting waits, and nothing listens afterwards', async () => {
    const connector = sockets.idle(LISTENING);
    const running = connector.run();
    await Promise.all([connector.stopListening(), connector.stopListening()]);
    await running;
    expect(connector.address).toBeUndefined();
  });

  it('a connector whose run has failed says so, and can be shut down', async () => {
    const connector = sockets.idle((await sockets.listener()).address);
    const received = connector.receive();
    await expect(connector.run()).rejects.toMatchObject({ code: 'PIKE_ERR_LISTEN_FAILED' });
    expect(() => connector.connect(SOMEWHERE)).toThrow(/run\(\) has failed/);
    await connector.shutdown(NOW);
    expect(await received).toBeUndefined();
  });
});

interface Subject {
  connector: Lines;
  connection: Connection;
  events: EventRecorder<string>;
}

describe('each method in each state of a connection', () => {
  const STATES: Record<string, () => Promise<Subject>> = {
    connecting: async () => {
      const client = await sockets.client();
      const { address } = await sockets.listener();
      return { ...client, connection: client.connector.connect(address) };
    },
    arriving: async () => {
      const server = await sockets.server({}, acceptNobody);
      await sockets.peer(addressOf(server.connector));
      return { ...server, connection: (await server.events.next('remoteConnect')).connection };
    },
    open: () => sockets.accepted(),
    remoteEnded: async () => {
      const pair = await sockets.accepted({ allowHalfOpen: true });
      pair.peer.write('last\n');
      pair.peer.end();
      await pair.events.next('messageReceived');
      return pair;
    },
    finishing: async () => {
      const pair = await sockets.accepted({ peerReads: false });
      for (let i = 0; i < 300; i++) pair.connector.send(pair.connection, 'x'.repeat(65_536));
      pair.connector.disconnect(pair.connection, { finishQueues: true });
      return pair;
    },
    lingering: async () => {
      const pair = await sockets.accepted({ lingerTimeout: 60_000 });
      pair.connector.disconnect(pair.connection, { finishQueues: true });
      await pair.events.next('finishDisconnect');
      return pair;
    },
    closed: async () => {
      const pair = await sockets.accepted();
      pair.connector.disconnect(pair.connection, NOW);
      await pair.events.next('finishDisconnect');
      return pair;
    },
    'closed, of a connector that was shut down': async () => {
      const pair = await sockets.accepted();
      await pair.connector.shutdown(NOW);
      return pair;
    },
  };

  it.each<[string, (subject: Subject) => unknown, string[]]>([
    [
      'send',
      ({ connector, connection }) => connector.send(connection, 'one'),
      [
        ...Array(4).fill('gives true'),
        ...Array(3).fill('gives false'),
        // As after any end that has resolved: there is nobody left to be told.
        'throws SHUT_DOWN',
      ],
    ],
    [
      'withdraw, of what was given just before',
      ({ connector, connection }) => {
        if (connector.connections[Symbol.iterator]().next().done !== true) {
          connector.send(connection, 'one');
        }
        return connector.withdraw(connection, 'one');
      },
      [...Array(4).fill('gives true'), ...Array(4).fill('gives false')],
    ],
    [
      'withdraw, of what was never given',
      ({ connector, connection }) => connector.withdraw(connection, 'other'),
      Array(8).fill('gives false'),
    ],
    [
      'drained',
      ({ connector, connection }) => connector.drained(connection),
      Array(8).fill('gives undefined'),
    ],
    [
      'flushed, the connection ending behind it',
      ({ connector, connection }) => {
        const flushed = connector.flushed(connection);
        connector.disconnect(connection, NOW);
        return flushed;
      },
      // Only what had something to send has something returned.
      ['gives undefined', 'gives undefined', 'gives undefined', 'gives undefined']
        .concat('rejects MESSAGE_RETURNED')
        .concat(Array(3).fill('gives undefined')),
    ],
    [
      'receiveFrom',
      ({ connector, connection }) => connector.receiveFrom(connection),
      Array(8).fill('rejects NOT_SEPARATE'),
    ],
    [
      'merge',
      ({ connector, connection }) => connector.merge(connection),
      Array(8).fill('throws NOT_SEPARATE'),
    ],
    [
      'disconnect, told nothing',
      ({ connector, connection }) => connector.disconnect(connection, {} as Finish),
      Array(8).fill('throws INVALID_FINISH'),
    ],
    [
      'disconnect, twice',
      ({ connector, connection }) => {
        connector.disconnect(connection, NOW);
        connector.disconnect(connection, { finishQueues: true, deadline: 5 });
      },
      Array(8).fill('gives undefined'),
    ],
  ])('%s', async (_, call, expected) => {
    const outcomes: Record<string, string> = {};
    for (const [state, make] of Object.entries(STATES)) {
      const subject = await make();
      outcomes[state] = await outcomeOf(() => call(subject));
    }
    expect(outcomes).toEqual(
      Object.fromEntries(Object.keys(STATES).map((state, i) => [state, expected[i]])),
    );
  });

  it.each(Object.keys(STATES).filter((state) => !state.startsWith('closed')))(
    'a connection that is %s and disconnected twice has one last event, and rejects afterwards',
    async (state) => {
      const { connector, connection, events } = await (STATES[state] as () => Promise<Subject>)();
      connector.disconnect(connection, NOW);
      connector.disconnect(connection, NOW);
      connector.send(connection, 'late');

      const { message, error } = await events.next('rejectedMessage', connection);

      expect({ message, code: error.code }).toEqual({
        message: 'late',
        code: 'PIKE_ERR_DISCONNECTED',
      });
      await connector.shutdown(NOW);
      const ends = events
        .types(connection)
        .filter((type) => /disconnect|finishConnect/i.test(type));
      expect(ends).toHaveLength(1);
      expect(events.types(connection).at(-1)).toBe('rejectedMessage');
    },
  );
});

describe('a connection that the connector did not make', () => {
  const METHODS: [string, string, (connector: Lines, connection: Connection) => unknown][] = [
    ['disconnect', 'throws', (connector, connection) => connector.disconnect(connection, NOW)],
    ['send', 'throws', (connector, connection) => connector.send(connection, 'one')],
    ['withdraw', 'throws', (connector, connection) => connector.withdraw(connection, 'one')],
    ['merge', 'throws', (connector, connection) => connector.merge(connection)],
    ['drained', 'rejects', (connector, connection) => connector.drained(connection)],
    ['flushed', 'rejects', (connector, connection) => connector.flushed(connection)],
    ['receiveFrom', 'rejects', (connector, connection) => connector.receiveFrom(connection)],
  ];

  it.each(METHODS)('%s %s, whatever it is', async (_, how, call) => {
    const { connection: foreign } = await sockets.accepted();
    const { connection: ended, connector: gone } = await sockets.accepted();
    await gone.shutdown(NOW);
    const connector = await sockets.running();
    const idle = sockets.idle();
    const impostors: unknown[] = [
      foreign,
      ended,
      undefined,
      null,
      1,
      'connection 1',
      Symbol('connection'),
      () => {},
      {},
      Object.create(foreign),
      // The facts of a connection are no connection, nor is what only inherits from one.
      foreign.toJSON(),
    ];
    for (const own of [connector, idle]) {
      const outcomes = [];
      for (const impostor of impostors) {
        outcomes.push(await outcomeOf(() => call(own, impostor as Connection)));
      }
      expect(outcomes).toEqual(impostors.map(() => `${how} FOREIGN_CONNECTION`));
    }
  });

  it('is told apart from what is no connection at all', async () => {
    const { connection } = await sockets.accepted();
    const connector = await sockets.running();
    expect(() => connector.send(connection, 'one')).toThrow(
      `Connection ${connection.id} was not made by this connector.`,
    );
    expect(() => connector.send({ id: 1 } as Connection, 'one')).toThrow(
      'Not a connection: { id: 1 }.',
    );
  });
});

describe('finishAccept', () => {
  it.each<[string, unknown]>([
    ['"options"', null],
    ['"options"', true],
    ['"seperate"', { seperate: true }],
    ['"separate"', { separate: 1 }],
  ])(
    'refuses a wrong option and names it: %s, %j; a right call is still possible',
    async (named, options) => {
      const { connector, events } = await sockets.server({}, acceptNobody);
      const peer = await sockets.peer(addressOf(connector));
      const arrival = await events.next('remoteConnect');

      expect(() => arrival.finishAccept(options as object)).toThrow(
        expect.objectContaining({
          code: 'PIKE_ERR_INVALID_OPTION',
          message: expect.stringContaining(named),
        }),
      );

      expect(arrival.finishAccept()).toBe(true);
      peer.write('in\n');
      await events.next('messageReceived');
    },
  );

  it.each<[string, (subject: Subject) => unknown, boolean]>([
    ['at once', () => undefined, true],
    [
      'after disconnect',
      ({ connector, connection }) => connector.disconnect(connection, NOW),
      false,
    ],
    ['after stopListening', ({ connector }) => connector.stopListening(), true],
    [
      'while the connector shuts down',
      ({ connector }) => void connector.shutdown({ finishQueues: true }),
      false,
    ],
    ['after shutdown', ({ connector }) => connector.shutdown(NOW), false],
  ])(
    '%s says whether the connection is open now; called again it throws',
    async (_, before, open) => {
      const { connector, events } = await sockets.server({}, acceptNobody);
      await sockets.peer(addressOf(connector));
      const arrival = await events.next('remoteConnect');
      await before({ connector, connection: arrival.connection, events });

      expect(arrival.finishAccept()).toBe(open);
      expect(() => arrival.finishAccept()).toThrow(
        expect.objectContaining({ code: 'PIKE_ERR_ACCEPT_FINISHED' }),
      );
      expect(() => arrival.finishAccept({ separate: true })).toThrow(
        expect.objectContaining({ code: 'PIKE_ERR_ACCEPT_FINISHED' }),
      );
    },
  );
});

describe('wrong arguments', () => {
  it.each<[string, unknown, PikeErrorCode]>([
    ['no endpoint', undefined, 'PIKE_ERR_INVALID_ENDPOINT'],
    ['a text', 'localhost:80', 'PIKE_ERR_INVALID_ENDPOINT'],
    ['a host and a path', { host: 'a', port: 1, path: '/a' }, 'PIKE_ERR_INVALID_ENDPOINT'],
    [
      'a path too long for the system',
      { path: `/${'x'.repeat(200)}` },
      'PIKE_ERR_INVALID_ENDPOINT',
    ],
    ['a path with a null character', { path: '/a\0b' }, 'PIKE_ERR_INVALID_ENDPOINT'],
  ])('connect to %s throws, and there is no connection then', async (_, endpoint, code) => {
    const connector = await sockets.running();
    expect(() => connector.connect(endpoint as never)).toThrow(expect.objectContaining({ code }));
    await expect(connector.connectWaiting(endpoint as never)).rejects.toMatchObject({ code });
    expect([...connector.connections]).toEqual([]);
  });

  it.each<[string, object]>([
    ['host', { port: 0, host: '' }],
    ['path', { path: `/${'x'.repeat(200)}` }],
    ['path', { path: '/a\0b' }],
    ['tls', { tls: 'yes' }],
    ['tls', { tls: { key: 'no key', cert: 'no certificate' } }],
    ['tls', { tls: { minVersion: 'TLSv9' } }],
    ['tls.servername', { tls: { servername: 5 } }],
    ['tls.session', { tls: { session: 5 } }],
    ['converter', { converter: LineConverter }],
    ['converter', { converter: Object.assign(new LineConverter(), { decode: undefined }) }],
  ])('a NetConnector refuses the option "%s" of %j', (name, options) => {
    expect(() => new NetConnector({ converter: new LineConverter(), ...options })).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_INVALID_OPTION',
        message: expect.stringContaining(`"${name}"`),
      }),
    );
  });

  it('what only Node can find wrong fails run with the cause, not the process', async () => {
    const connector = sockets.idle({ ...LISTENING, tls: { handshakeTimeout: 'soon' as never } });
    await expect(connector.run()).rejects.toMatchObject({
      code: 'PIKE_ERR_LISTEN_FAILED',
      cause: { code: 'ERR_INVALID_ARG_TYPE' },
    });
  });

  it('what only Node can find wrong fails connecting, as any failure does', async () => {
    const { connector, events } = await sockets.client({ tls: { ALPNProtocols: 5 as never } });
    const connection = connector.connect(SOMEWHERE);
    connector.send(connection, 'one');

    expect(await events.next('finishConnect')).toMatchObject({
      success: false,
      error: { code: 'PIKE_ERR_CONNECT_FAILED', cause: { name: 'TypeError' } },
    });
    expect(await events.next('rejectedMessage')).toMatchObject({ message: 'one' });
    expect([...connector.connections]).toEqual([]);
    expect(await connector.connectWaiting(SOMEWHERE)).toMatchObject({ success: false });
  });

  it('a message of a wrong type is the converter’s to refuse: RejectedMessage', async () => {
    const connector = new NetConnector<number | bigint>({ converter: Primitives.INT_CONVERTER });
    sockets.defer(() => connector.shutdown(NOW));
    await connector.run();
    const listener = await sockets.listener();
    const connection = connector.connect(listener.address);
    expect(connector.send(connection, 'seven' as never)).toBe(true);
    expect(await connector.receive()).toMatchObject({ type: 'finishConnect' });
    expect(await connector.receive()).toMatchObject({ type: 'rejectedMessage', message: 'seven' });
  });
});

describe('a signal that gives up connecting', () => {
  it('works until TLS is agreed on, not only until TCP is', async () => {
    // It accepts, and never answers the handshake.
    const listener = await sockets.listener();
    const { connector, events } = await sockets.client({ tls: {} });
    const abortion = new AbortController();
    connector.connect(listener.address, { signal: abortion.signal });
    const peer = await listener.accept();
    await peer.bytes(1);

    abortion.abort(new Error('too slow'));

    expect(await events.next('finishConnect')).toMatchObject({
      success: false,
      error: { code: 'PIKE_ERR_CONNECT_ABORTED', cause: { message: 'too slow' } },
    });
    await peer.ended;
  });
});

describe('connectWaiting', () => {
  it('does not keep shutdown waiting for an onFinish that never returns; its events come before the end', async () => {
    const listener = await sockets.listener();
    const connector = await sockets.running({ lingerTimeout: 0 });
    let began: (connection: Connection) => void = () => {};
    const inOnFinish = new Promise<Connection>((resolve) => (began = resolve));
    void connector.connectWaiting(listener.address, {
      onFinish: (connection) => {
        began(connection);
        return new Promise(() => {});
      },
    });
    const connection = await inOnFinish;
    const peer = await listener.accept();
    peer.write('early\n');
    connector.send(connection, 'hello');
    await peer.sees('hello\n');
    const received = (async () => {
      const types: string[] = [];
      for await (const event of connector) types.push(event.type);
      return types;
    })();

    await connector.shutdown({ finishQueues: true });

    const types = await received;
    expect(types.at(-1)).toBe('finishDisconnect');
    expect(types.filter((type) => type !== 'messageReceived')).toEqual(['finishDisconnect']);
  });

  it('returns what was given meanwhile in a FinishConnect if onFinish throws, for there is no result', async () => {
    const { connector, events } = await sockets.client();
    const waiting = connector.connectWaiting(await sockets.unusedEndpoint(), {
      onFinish: () => {
        throw new Error('not prepared');
      },
    });
    const [connection] = [...connector.connections] as [Connection];
    connector.send(connection, 'one');

    await expect(waiting).rejects.toThrow('not prepared');

    expect(await events.next('finishConnect', connection)).toMatchObject({
      success: false,
      queued: ['one'],
    });
  });

  it('without separate gives onFinish no queue to receive from or merge', async () => {
    const listener = await sockets.listener();
    const { connector, events } = await sockets.client();
    const outcomes: string[] = [];
    const waiting = connector.connectWaiting(listener.address, {
      onFinish: async (connection) => {
        outcomes.push(await outcomeOf(() => connector.receiveFrom(connection)));
        outcomes.push(await outcomeOf(() => connector.merge(connection)));
      },
    });
    (await listener.accept()).write('one\n');
    await waiting;
    await events.next('messageReceived');
    expect(outcomes).toEqual(['rejects NOT_SEPARATE', 'throws NOT_SEPARATE']);
  });

  it('with separate lets onFinish talk to the peer first, and merge', async () => {
    const listener = await sockets.listener();
    const { connector, events } = await sockets.client();
    const first: unknown[] = [];
    const waiting = connector.connectWaiting(listener.address, {
      separate: true,
      onFinish: async (connection) => {
        first.push(await connector.receiveFrom(connection));
        connector.merge(connection);
      },
    });
    (await listener.accept()).write('name?\nwelcome\n');
    const { connection } = await waiting;
    expect(first).toMatchObject([{ message: 'name?' }]);
    await events.next('messageReceived', connection);
    expect(events.messages()).toEqual(['welcome']);
    expect(await outcomeOf(() => connector.merge(connection))).toBe('throws NOT_SEPARATE');
  });
});

describe('subscriptions', () => {
  it('a former end of a subscription does not end a later one of the same listener', async () => {
    const connector = await sockets.running(LISTENING);
    const types: string[] = [];
    const listener = (event: { type: string }): void => void types.push(event.type);
    const endFirst = connector.subscribe(listener);
    endFirst();
    connector.subscribe(listener);

    endFirst();

    await sockets.peer(addressOf(connector));
    expect(await outcomeOf(() => connector.subscribe(() => {}))).toBe('throws SUBSCRIBED');
    await connector.shutdown(NOW);
    expect(types).toEqual(['remoteConnect', 'finishDisconnect']);
  });

  it('a second one, and receive, are refused, and the first goes on', async () => {
    const { connector, events } = await sockets.server();
    expect(await outcomeOf(() => connector.subscribe(() => {}))).toBe('throws SUBSCRIBED');
    expect(await outcomeOf(() => connector.receive())).toBe('rejects SUBSCRIBED');
    await sockets.peer(addressOf(connector));
    await events.next('remoteConnect');
  });

  it('an iteration broken off, however, leaves every further event to the next', async () => {
    const connector = await sockets.running(LISTENING);
    const peer = await sockets.peer(addressOf(connector));
    await expect(
      (async () => {
        for await (const event of connector) {
          if (event.type === 'remoteConnect') event.finishAccept();
          throw new Error('the loop is broken');
        }
      })(),
    ).rejects.toThrow('the loop is broken');
    const iterator = connector[Symbol.asyncIterator]();
    const [first, second] = [iterator.next(), iterator.next()];
    const left = iterator.return?.(undefined);
    peer.write('one\ntwo\nthree\n');
    expect(await first).toMatchObject({ value: { message: 'one' } });
    expect(await second).toMatchObject({ value: { message: 'two' } });
    await left;
    expect(await connector.receive()).toMatchObject({ message: 'three' });
  });

  it('shutdown within a listener ends everything, the listener being told the rest', async () => {
    const connector = await sockets.running(LISTENING);
    const types: string[] = [];
    const down = new Promise<void>((resolve, reject) =>
      connector.subscribe((event) => {
        types.push(event.type);
        if (event.type === 'remoteConnect') {
          event.finishAccept();
          connector.send(event.connection, 'bye');
          connector.shutdown({ finishQueues: true }).then(resolve, reject);
        }
      }),
    );
    const peer = await sockets.peer(addressOf(connector));
    expect(await peer.sees('bye\n')).toBe('bye\n');
    peer.end();
    await down;
    expect(types).toEqual(['remoteConnect', 'finishDisconnect']);
  });
});

describe('peers that come and go while nobody takes the events', () => {
  it('are refused beyond maxConnections, so that what waits to be taken is bounded', async () => {
    const connector = await sockets.running({ ...LISTENING, maxConnections: 3, acceptTimeout: 20 });
    for (let i = 0; i < 3; i++) {
      const peer = await sockets.peer(addressOf(connector));
      await peer.ended;
    }
    expect([...connector.connections]).toEqual([]);

    const refused = await sockets.peer(addressOf(connector));
    await refused.ended;

    const taken: string[] = [];
    for (let i = 0; i < 6; i++) taken.push((await connector.receive())?.type as string);
    expect(taken.toSorted()).toEqual([
      ...Array(3).fill('finishDisconnect'),
      ...Array(3).fill('remoteConnect'),
    ]);
    // They are taken: there is room again.
    await sockets.peer(addressOf(connector));
    expect(await connector.receive()).toMatchObject({ type: 'remoteConnect' });
  });
});

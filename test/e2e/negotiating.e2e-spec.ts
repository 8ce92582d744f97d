// Prevents: a peer that still negotiates reaching the handlers, one that is through losing or
// reordering what it had sent, and somebody negotiating for ever with a peer that is not there.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import {
  OnFinishDisconnect,
  OnRemoteConnect,
  OnRemoteDisconnect,
  PikeContext,
  RemoteConnectEvent,
  rawMessages,
} from 'nestjs-pike';
import type { Connection, Connector, ConnectorEvent, PikeServerOptions } from 'nestjs-pike';
import { LineConverter } from 'nestjs-pike/converters';
import { Observable } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { RawPeer } from '../support/raw-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

type Negotiation = (event: RemoteConnectEvent, connector: Connector<string>) => Promise<unknown>;

/** What handlers were called with, and what they and the negotiation tell. */
const log: string[] = [];
let negotiate: Negotiation;
/** What became of the negotiation. */
let negotiated: Promise<unknown>;
let decide: () => unknown = () => undefined;
/** Ends the decision that a test has put off. */
let agree = (): void => {};

@Controller()
class NegotiatingController {
  @OnRemoteConnect()
  connecting(@Payload() event: RemoteConnectEvent, @Ctx() context: PikeContext<string>): void {
    event.finishAccept({ separate: true });
    negotiated = negotiate(event, context.getConnector());
  }

  @OnRemoteDisconnect()
  left(): void {
    log.push('handler: left');
  }

  @OnFinishDisconnect()
  finished(): void {
    log.push('handler: finished');
  }
}

@Controller()
class AlsoAskedController {
  @OnRemoteConnect()
  async connecting(): Promise<void> {
    log.push('asked');
    await decide();
  }
}

@Controller()
class WaitingController {
  @OnRemoteConnect()
  async connecting(event: RemoteConnectEvent): Promise<void> {
    event.finishAccept();
    log.push(`accepted: ${await event.accepted}`);
  }
}

@Controller()
class EventController {
  @EventPattern<string>('line')
  line(@Payload() line: string): void {
    log.push(line);
  }
}

let streams = 0;

@Controller()
class RequestController {
  @MessagePattern('line')
  line(@Payload() line: string): string | Observable<string> {
    log.push(line);
    if (line !== 'stream') return `${line}!`;
    return new Observable(() => {
      streams++;
      return () => {
        streams--;
      };
    });
  }
}

const EVENTS = { converter: new LineConverter(), ...rawMessages<string>('line', { reply: false }) };
const REQUESTS = {
  converter: new LineConverter(),
  ...rawMessages<string>('line', { reply: true }),
};

function show(event: ConnectorEvent<string> | undefined): string {
  return event?.type === 'messageReceived' ? event.message : (event?.type ?? 'nothing more');
}

/** Says who came and what the first thing is that it sends, or what becomes of it; then merges, if told to. */
function firstLine(afterwards: 'merge' | 'leave it separate'): Negotiation {
  return async (event, connector) => {
    if (!(await event.accepted)) return 'not accepted';
    connector.send(event.connection, 'name?');
    const answer = show(await connector.receiveFrom(event.connection));
    if (afterwards === 'merge') connector.merge(event.connection);
    return answer;
  };
}

/** Takes everything up to the end. */
const takeAll: Negotiation = async (event, connector) => {
  if (!(await event.accepted)) return;
  connector.send(event.connection, 'name?');
  while ((await connector.receiveFrom(event.connection)) !== undefined);
};

let running: Running<string>;

async function begin(
  negotiation: Negotiation,
  controllers: Type<unknown>[],
  options: Partial<PikeServerOptions<string>> = EVENTS,
): Promise<void> {
  negotiate = negotiation;
  running = await start<string>([NegotiatingController, ...controllers], options);
}

function connect(): Promise<RawPeer> {
  return RawPeer.connect({ host: '127.0.0.1', port: running.port });
}

function putOff(): Promise<void> {
  return new Promise((resolve) => (agree = resolve));
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `line ${index + 1}`);
}

afterEach(async () => {
  await running.close();
  log.length = 0;
  decide = () => undefined;
});

describe('a peer that is managed separately', () => {
  it('reaches no event handler before it is merged; then all that it had sent does, in order', async () => {
    let goOn = (): void => {};
    const prepared = new Promise<void>((resolve) => (goOn = resolve));
    await begin(
      async (event, connector) => {
        const name = await firstLine('leave it separate')(event, connector);
        await prepared;
        connector.merge(event.connection);
        return name;
      },
      [EventController],
    );
    const peer = await connect();
    const lines = numbered(300);
    peer.write(['Ann', ...lines.slice(0, 200), ''].join('\n'));
    await peer.sees('name?\n');
    // What another peer causes later is through the whole server.
    const other = await connect();
    await other.sees('name?\n');
    await other.destroy();
    expect(log).toEqual([]);

    goOn();
    peer.write([...lines.slice(200), ''].join('\n'));
    peer.end();

    await eventually(() => log.includes('handler: left'));
    expect(log).toEqual([...lines, 'handler: left']);
  });

  it('reaches no request handler before it is merged; then it is answered, in order', async () => {
    await begin(firstLine('merge'), [RequestController], REQUESTS);
    const peer = await connect();
    peer.write('Ann\none\ntwo\nthree\n');

    await peer.sees('three!\n');
    expect(await negotiated).toBe('Ann');
    expect(peer.text).toBe('name?\none!\ntwo!\nthree!\n');
    expect(log).toEqual(['one', 'two', 'three']);
    await peer.destroy();
  });

  it('that is merged and leaves has its running requests stopped, like any other', async () => {
    await begin(firstLine('merge'), [RequestController], REQUESTS);
    const peer = await connect();
    peer.write('Ann\nstream\n');
    await eventually(() => streams === 1);

    await peer.destroy();

    await eventually(() => log.includes('handler: left'));
    expect(streams).toBe(0);
  });

  it('that leaves in mid-negotiation is told to receiveFrom, not to handlers', async () => {
    await begin(firstLine('leave it separate'), [EventController]);
    const peer = await connect();
    await peer.sees('name?\n');
    peer.end();

    expect(await negotiated).toBe('remoteDisconnect');
    expect([...running.server.unwrap<Connector<string>>().connections]).toEqual([]);
    await peer.destroy();
    await running.close();
    expect(log).toEqual([]);
  });

  it('that has left, and is merged all the same, is told to handlers if nobody has taken its end', async () => {
    await begin(
      async (event, connector) => {
        await event.accepted;
        connector.send(event.connection, 'name?');
        await eventually(() => [...connector.connections].length === 0);
        connector.merge(event.connection);
      },
      [EventController],
    );
    const peer = await connect();
    peer.write('Ann\nhello\n');
    await peer.sees('name?\n');
    peer.end();

    await negotiated;
    await eventually(() => log.includes('handler: left'));
    expect(log).toEqual(['Ann', 'hello', 'handler: left']);
    await peer.destroy();
  });

  it('hears from the server when it closes: receiveFrom ends, and close waits for nobody', async () => {
    await begin(firstLine('leave it separate'), [EventController], {
      ...EVENTS,
      shutdown: { deadline: 600_000 },
    });
    const peer = await connect();
    await peer.sees('name?\n');

    const closed = running.app.close();
    await peer.ended;
    await peer.destroy();
    await closed;

    expect(await negotiated).toBe('finishDisconnect');
    expect(log).toEqual([]);
  });
});

describe('accepted, in a handler', () => {
  it('waits for all handlers', async () => {
    decide = putOff;
    await begin(firstLine('merge'), [AlsoAskedController, EventController]);
    const peer = await connect();
    peer.write('Ann\n');
    await eventually(() => log.includes('asked'));
    expect(peer.text).toBe('');

    agree();

    expect(await negotiated).toBe('Ann');
    await peer.destroy();
  });

  it.each<[string, () => unknown, Partial<PikeServerOptions<string>>]>([
    ['another handler refuses the peer', () => Promise.reject(new Error('no')), {}],
    ['the handlers take longer than acceptTimeout', putOff, { acceptTimeout: 30 }],
  ])('is false when %s', async (_, decision, options) => {
    decide = decision;
    await begin(firstLine('leave it separate'), [AlsoAskedController, EventController], {
      ...EVENTS,
      ...options,
    });
    const peer = await connect();
    peer.write('Ann\n');

    await peer.ended;
    agree();
    await peer.destroy();
    expect(await negotiated).toBe('not accepted');
    expect(peer.text).toBe('');
    // Of a peer that was never separate, handlers are told.
    await eventually(() => log.includes('handler: finished'));
    expect(log).toEqual(['asked', 'handler: finished']);
  });

  it('is false when the server begins to close meanwhile', async () => {
    decide = putOff;
    await begin(firstLine('leave it separate'), [AlsoAskedController, EventController]);
    const peer = await connect();
    await eventually(() => log.includes('asked'));

    const closed = running.server.close();
    agree();
    await peer.ended;
    await peer.destroy();
    await closed;

    expect(await negotiated).toBe('not accepted');
    expect(peer.text).toBe('');
    expect(log).toEqual(['asked', 'handler: finished']);
  });

  it.each(['end', 'reset'] as const)(
    'is true of a peer that has left meanwhile (%s), which receiveFrom tells',
    async (leave) => {
      decide = putOff;
      await begin(firstLine('leave it separate'), [AlsoAskedController, EventController]);
      const peer = await connect();
      await eventually(() => log.includes('asked'));
      peer[leave]();
      if (leave === 'reset') await peer.closed;

      agree();

      expect(await negotiated).toBe('remoteDisconnect');
      await peer.destroy();
      expect(log).toEqual(['asked']);
    },
  );

  it('must not be awaited by the handler itself: nobody is accepted before it has returned', async () => {
    running = await start<string>([WaitingController], { ...EVENTS, acceptTimeout: 30 });
    const peer = await connect();

    await peer.ended;
    await peer.destroy();
    await eventually(() => log.length > 0);
    expect(log).toEqual(['accepted: false']);
  });
});

/** In a process that has run many suites, one collection takes a second. */
const COLLECTING = 60_000;

describe('a server whose peers have left in mid-negotiation', () => {
  it.each<[string, Negotiation]>([
    ['all taken, their end too', takeAll],
    [
      'all taken, and merged',
      async (event, connector) => {
        await takeAll(event, connector);
        connector.merge(event.connection);
      },
    ],
    [
      'nothing taken',
      async (event, connector) => {
        if (await event.accepted) connector.send(event.connection, 'name?');
      },
    ],
    [
      'merged with what they had sent',
      async (event, connector) => {
        if (!(await event.accepted)) return;
        connector.send(event.connection, 'name?');
        await eventually(() => ![...connector.connections].includes(event.connection));
        connector.merge(event.connection);
      },
    ],
  ])(
    'keeps nothing of them: %s',
    async (_, negotiation) => {
      const references: WeakRef<Connection>[] = [];
      await begin(
        (event, connector) => {
          references.push(new WeakRef(event.connection));
          return negotiation(event, connector);
        },
        [RequestController],
        REQUESTS,
      );
      for (let i = 0; i < 5; i++) {
        const peer = await connect();
        await peer.sees('name?\n');
        peer.write('a line\nhalf a line, and no');
        await peer.destroy();
      }
      await negotiated;
      const connector = running.server.unwrap<Connector<string>>();
      await eventually(() => [...connector.connections].length === 0);

      setFlagsFromString('--expose-gc');
      const collectGarbage = runInNewContext('gc') as () => void;
      const kept = (): number =>
        references.filter((reference) => reference.deref() !== undefined).length;
      // What is still on the stack of a turn is not collected in it.
      for (let turn = 0; turn < 20 && kept() > 0; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
        collectGarbage();
      }
      expect(kept()).toBe(0);
      expect(references).toHaveLength(5);
    },
    COLLECTING,
  );
});

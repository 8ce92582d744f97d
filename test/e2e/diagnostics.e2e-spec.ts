// Prevents: operators who cannot see what a server or client does: a channel that tells nothing, tells
// it twice, or never tells the end. (That subscribers which throw break nothing: docs/diagnostics.md.)
import { tracingChannel } from 'node:diagnostics_channel';
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, RpcException } from '@nestjs/microservices';
import { PikeContext, rawMessages } from 'nestjs-pike';
import type {
  CallDiagnostics,
  ConnectionDiagnostics,
  HandlingDiagnostics,
  IncomingReply,
  PacketDeserializer,
  RejectDiagnostics,
} from 'nestjs-pike';
import { JsonConverter, LineConverter } from 'nestjs-pike/converters';
import { concat, firstValueFrom, lastValueFrom, NEVER, of } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { muteLogger } from '../support/mute-logger.js';
import { nextTurn } from '../support/turns.js';
import { listen, onUnlisten, trace, unlisten } from './channels.js';
import type { Told } from './channels.js';
import { PacketPeer } from './packet-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

const store = new AsyncLocalStorage<string>();
let begun = 0;

@Controller()
class WatchedController {
  @MessagePattern('echo')
  async echo(data: unknown) {
    await nextTurn();
    return data;
  }

  @MessagePattern('stream')
  stream() {
    return of(1, 2, 3);
  }

  @MessagePattern('several')
  several() {
    return concat(of('first'), NEVER);
  }

  @MessagePattern('error')
  error() {
    throw new RpcException('an error');
  }

  @MessagePattern('endless')
  endless() {
    begun++;
    return NEVER;
  }

  @MessagePattern('store')
  async store() {
    await nextTurn();
    return store.getStore() ?? 'nothing';
  }

  @MessagePattern('metadata')
  metadata(_: unknown, @Ctx() context: PikeContext) {
    return context.getMetadata() ?? 'none';
  }

  @EventPattern<string>('event')
  event() {
    begun++;
  }

  @EventPattern<string>('failing event')
  failingEvent() {
    throw new Error('an error');
  }
}

describe('diagnostics channels', () => {
  let running: Running;
  beforeEach(async () => {
    begun = 0;
    muteLogger();
    running = await start([WatchedController], { shutdown: { deadline: 300 } });
  });
  afterEach(async () => {
    unlisten();
    await running.close();
    jest.restoreAllMocks();
  });

  describe('nestjs-pike:request', () => {
    const end = (told: Told<CallDiagnostics>[]): CallDiagnostics => {
      const ends = told.filter(({ step }) => step === 'asyncEnd');
      expect(ends).toHaveLength(1);
      return (ends[0] as (typeof ends)[0]).message;
    };

    it.each(['echo', 'stream'])('tells the start and the end of a request: %s', async (pattern) => {
      const told = trace<CallDiagnostics>('nestjs-pike:request');
      await lastValueFrom(running.client().send(pattern, 1));
      expect(told.map(({ step }) => step)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
      expect(told[0]?.message).toMatchObject({ pattern, data: 1, outcome: undefined, duration: 0 });
      const { connection, outcome, duration } = end(told);
      expect(outcome).toBe('ok');
      expect(connection?.remote).toEqual({ host: '127.0.0.1', port: running.port });
      expect(duration).toBeGreaterThan(0);
    });

    it('tells the error that the server has answered', async () => {
      const told = trace<CallDiagnostics>('nestjs-pike:request');
      await lastValueFrom(running.client().send('error', 1)).catch(() => undefined);
      expect(told.map(({ step }) => step)).toContain('error');
      expect(end(told)).toMatchObject({
        outcome: 'error',
        error: { status: 'error', message: 'an error' },
      });
    });

    it('tells that a request was cancelled', async () => {
      const told = trace<CallDiagnostics>('nestjs-pike:request');
      const subscription = running.client().send('endless', 1).subscribe();
      await eventually(() => begun === 1);
      subscription.unsubscribe();
      expect(end(told)).toMatchObject({ outcome: 'cancelled', error: undefined });
    });

    it('tells that no reply came in time', async () => {
      const told = trace<CallDiagnostics>('nestjs-pike:request');
      const request = running.client().send('endless', 1, { timeout: 20 });
      await expect(lastValueFrom(request)).rejects.toThrow('20 ms');
      expect(end(told)).toMatchObject({
        outcome: 'error',
        error: { code: 'PIKE_ERR_REQUEST_TIMEOUT' },
      });
    });

    it('tells that the connection was lost, and which', async () => {
      const told = trace<CallDiagnostics>('nestjs-pike:request');
      const request = lastValueFrom(running.client({ reconnect: false }).send('endless', 1));
      await eventually(() => begun === 1);
      for (const connection of running.server.unwrap().connections) {
        running.server.unwrap().disconnect(connection, { now: true });
      }
      await expect(request).rejects.toThrow();
      expect(end(told)).toMatchObject({ outcome: 'error', error: { delivery: 'in-doubt' } });
      expect(end(told).connection?.inbound).toBe(false);
    });

    it('tells that there is no server', async () => {
      await running.app.close();
      const told = trace<CallDiagnostics>('nestjs-pike:request');
      await lastValueFrom(running.client().send('echo', 1)).catch(() => undefined);
      expect(end(told)).toMatchObject({
        outcome: 'error',
        connection: undefined,
        error: { code: 'PIKE_ERR_CONNECT_FAILED' },
      });
    });

    it('takes an error of null for none, as the caller does', async () => {
      const lines = { converter: new JsonConverter<object>() };
      const answering: PacketDeserializer<IncomingReply, object> = {
        deserialize: (message) => ({ err: null, ...message }),
      };
      const json = await start<object>([WatchedController], lines);
      const told = trace<CallDiagnostics>('nestjs-pike:request');
      const client = json.client({ ...lines, deserializer: answering });
      await expect(lastValueFrom(client.send('echo', 1))).resolves.toBe(1);
      expect(end(told)).toMatchObject({ outcome: 'ok', error: undefined });
      await json.close();
    });

    it('tells the end once though a subscriber writes in what it is told', async () => {
      listen('tracing:nestjs-pike:request:start', (message) =>
        Object.assign(message as object, { outcome: 'error', pattern: 'mine', connection: null }),
      );
      const told = trace<CallDiagnostics>('nestjs-pike:request');
      await expect(lastValueFrom(running.client().send('echo', 1))).resolves.toBe(1);
      expect(end(told).outcome).toBe('ok');
    });

    it('lets subscribers add metadata', async () => {
      listen('tracing:nestjs-pike:request:start', (message) => {
        (message as CallDiagnostics).metadata = { traceparent: '00-1' };
      });
      await expect(firstValueFrom(running.client().send('metadata', {}))).resolves.toEqual({
        traceparent: '00-1',
      });
    });
  });

  describe('nestjs-pike:emit', () => {
    it('tells that an event was sent', async () => {
      const told = trace<CallDiagnostics>('nestjs-pike:emit');
      await lastValueFrom(running.client().emit('event', 1), { defaultValue: undefined });
      expect(told.map(({ step }) => step)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
      expect(told[3]?.message).toMatchObject({ pattern: 'event', data: 1, outcome: 'ok' });
    });

    it('tells that an event was not sent', async () => {
      await running.app.close();
      const told = trace<CallDiagnostics>('nestjs-pike:emit');
      await lastValueFrom(running.client().emit('event', 1)).catch(() => undefined);
      expect(told.at(-1)?.message).toMatchObject({
        outcome: 'error',
        error: { code: 'PIKE_ERR_CONNECT_FAILED' },
      });
    });

    it('tells each event of a broadcast, whose metadata do not mix', async () => {
      const peers = [
        await PacketPeer.connect(running.port),
        await PacketPeer.connect(running.port),
      ];
      await eventually(() => [...running.server.unwrap().connections].length === 2);
      let count = 0;
      listen('tracing:nestjs-pike:emit:start', (message) => {
        const call = message as CallDiagnostics;
        expect(call.metadata).toBeUndefined();
        call.metadata = { number: `${++count}` };
      });
      const told = trace<CallDiagnostics>('nestjs-pike:emit');
      await expect(firstValueFrom(running.server.broadcast('news', 1))).resolves.toMatchObject({
        sent: 2,
      });
      expect(told.filter(({ step }) => step === 'asyncEnd')).toHaveLength(2);
      expect(count).toBe(2);
      for (const { raw } of peers) await raw.destroy();
    });
  });

  describe('nestjs-pike:handle', () => {
    const handled = async (pattern: string, request = true): Promise<HandlingDiagnostics> => {
      const told = trace<HandlingDiagnostics>('nestjs-pike:handle');
      const client = running.client();
      if (request) await lastValueFrom(client.send(pattern, 1)).catch(() => undefined);
      else client.emit(pattern, 1);
      await eventually(() => told.some(({ step }) => step === 'asyncEnd'));
      const ends = told.filter(({ step }) => step === 'asyncEnd');
      expect(ends).toHaveLength(1);
      expect(told.filter(({ step }) => step === 'start' || step === 'end')).toHaveLength(2);
      return (ends[0] as (typeof ends)[0]).message;
    };

    it.each(['echo', 'stream'])('tells that a request was answered: %s', async (pattern) => {
      const message = await handled(pattern);
      expect(message).toMatchObject({ kind: 'request', pattern, known: true, outcome: 'ok' });
      expect(message.connection?.inbound).toBe(true);
    });

    it('tells that a request is answered, where one value is all that is taken', async () => {
      const lines = {
        converter: new LineConverter(),
        ...rawMessages<string>('several', { reply: true }),
      };
      const raw = await start<string>([WatchedController], lines);
      const told = trace<HandlingDiagnostics>('nestjs-pike:handle');
      await expect(lastValueFrom(raw.client(lines).send('several', 'line'))).resolves.toBe('first');
      expect(told.at(-1)?.message).toMatchObject({ pattern: 'several', outcome: 'ok' });
      await raw.close();
    });

    it('tells that a handler has failed', async () => {
      await expect(handled('error')).resolves.toMatchObject({
        outcome: 'error',
        error: { status: 'error', message: 'an error' },
      });
    });

    it('tells a pattern that nobody handles', async () => {
      await expect(handled('unknown')).resolves.toMatchObject({ known: false, outcome: 'error' });
      await expect(handled('unknown', false)).resolves.toMatchObject({
        kind: 'event',
        known: false,
        outcome: 'dropped',
      });
    });

    it('tells that events were handled, or their handlers have failed', async () => {
      await expect(handled('event', false)).resolves.toMatchObject({
        kind: 'event',
        outcome: 'ok',
      });
      await expect(handled('failing event', false)).resolves.toMatchObject({ outcome: 'error' });
    });

    it('tells that a request was cancelled', async () => {
      const told = trace<HandlingDiagnostics>('nestjs-pike:handle');
      const subscription = running.client().send('endless', 1).subscribe();
      await eventually(() => begun === 1);
      subscription.unsubscribe();
      await eventually(() => told.at(-1)?.step === 'asyncEnd');
      expect(told.at(-1)?.message).toMatchObject({ outcome: 'cancelled' });
    });

    it('runs the handler within the stores that are bound to it', async () => {
      const { start: starts } = tracingChannel<string, HandlingDiagnostics>('nestjs-pike:handle');
      starts.bindStore(store, ({ pattern }) => `within ${pattern}`);
      onUnlisten(() => starts.unbindStore(store));
      await expect(firstValueFrom(running.client().send('store', 1))).resolves.toBe('within store');
    });

    it('runs the handler within what a subscriber runs it in, between hooks too', async () => {
      running.server.setOnProcessingStartHook((_, __, done) => done());
      listen('tracing:nestjs-pike:handle:start', (message) =>
        (message as HandlingDiagnostics).within((handle) => store.run('around', handle)),
      );
      await expect(firstValueFrom(running.client().send('store', 1))).resolves.toBe('around');
    });

    it('runs the handler once, whether what a subscriber runs it in calls back or not', async () => {
      listen('tracing:nestjs-pike:handle:start', (message) => {
        (message as HandlingDiagnostics).within(() => undefined);
        (message as HandlingDiagnostics).within((handle) => {
          handle();
          handle();
        });
      });
      running.client().emit('event', 1);
      await expect(firstValueFrom(running.client().send('echo', 1))).resolves.toBe(1);
      await eventually(() => begun > 0);
      expect(begun).toBe(1);
    });
  });

  it('nestjs-pike:connection tells the states of both ends', async () => {
    const told: ConnectionDiagnostics[] = [];
    listen('nestjs-pike:connection', (message) => told.push(message as ConnectionDiagnostics));
    const client = running.client();
    await firstValueFrom(client.send('echo', 1));
    await client.close();
    await eventually(() => told.filter(({ state }) => state === 'closed').length === 2);
    const states = (inbound: boolean): unknown =>
      told
        .filter(({ connection }) => connection.inbound === inbound)
        .map(({ previous, state }) => `${previous} → ${state}`);
    expect(states(false)).toEqual([
      'undefined → connecting',
      'connecting → open',
      'open → finishing',
      'finishing → lingering',
      'lingering → closed',
    ]);
    expect(states(true)).toEqual(['undefined → arriving', 'arriving → open', 'open → closed']);
  });

  it('nestjs-pike:connection tells why a connection was ended', async () => {
    const told: ConnectionDiagnostics[] = [];
    const peer = await PacketPeer.connect(running.port);
    listen('nestjs-pike:connection', (message) => told.push(message as ConnectionDiagnostics));
    peer.raw.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    await eventually(() => told.some(({ state }) => state === 'closed'));
    expect(told.at(-1)?.error).toMatchObject({ code: 'PIKE_ERR_MESSAGE_TOO_LARGE' });
  });

  it('nestjs-pike:send and :receive tell every message, on both sides', async () => {
    const told: unknown[] = [];
    for (const name of ['send', 'receive']) {
      listen(`nestjs-pike:${name}`, (payload) => {
        const { connection, message } = payload as ConnectionDiagnostics & { message: unknown };
        told.push([name, connection.inbound, message]);
      });
    }
    await firstValueFrom(running.client().send('echo', 'data'));
    const request = { id: 1, pattern: 'echo', data: 'data' };
    const reply = { id: 1, response: 'data', isDisposed: true };
    expect(told).toEqual([
      ['send', false, request],
      ['receive', true, request],
      ['send', true, reply],
      ['receive', false, reply],
    ]);
  });

  it('nestjs-pike:reject tells what was not taken', async () => {
    const told: RejectDiagnostics[] = [];
    listen('nestjs-pike:reject', (message) => told.push(message as RejectDiagnostics));
    const peer = await PacketPeer.connect(running.port);
    await eventually(() => [...running.server.unwrap().connections].length === 1);
    const [connection] = running.server.unwrap().connections;
    if (connection === undefined) throw new Error('There is no connection.');
    running.server.unwrap().disconnect(connection, { now: true });
    running.server.unwrap().send(connection, 'too late');
    await eventually(() => told.length === 1);
    expect(told[0]).toMatchObject({
      message: 'too late',
      error: { code: 'PIKE_ERR_DISCONNECTED' },
    });
    await peer.raw.destroy();
  });
});

/*
 * Prevents: an attempt to connect that never says how it ended, or that loses what was given to
 * send meanwhile.
 */
import { describe, expect, it } from '@jest/globals';
import { showEndpoint } from 'nestjs-pike/core';
import type { ConnectOptions, PikeErrorCode } from 'nestjs-pike/core';
import { pikeErrorOf } from '../support/rejections.js';
import { useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function connecting(transport: Transport): void {
  const sockets = useSockets(transport);

  /** The error of an attempt that nobody answers: the given one, or at once the system's. */
  function unanswered(code: PikeErrorCode, limit: string): object {
    return transport.facts.leavesUnanswered
      ? { code, message: expect.stringContaining(limit) }
      : { code: 'PIKE_ERR_CONNECT_FAILED' };
  }

  describe('connect', () => {
    it('posts one FinishConnect event when it has succeeded', async () => {
      const listener = await sockets.listener();
      const { connector, events } = await sockets.client();

      const connection = connector.connect(listener.address);

      const event = await events.next('finishConnect');
      expect(event).toMatchObject({ connection, success: true, queued: [], error: undefined });
      expect([...connector.connections]).toEqual([connection]);
      await listener.accept();
      expect(events.types()).toEqual(['finishConnect']);
    });

    it('sends what was given meanwhile, in order, before what is given later', async () => {
      const listener = await sockets.listener();
      const { connector, events } = await sockets.client();
      const connection = connector.connect(listener.address);
      expect(connector.send(connection, 'one')).toBe(true);
      connector.send(connection, 'two');
      await events.next('finishConnect');
      connector.send(connection, 'three');

      const peer = await listener.accept();

      expect(await peer.sees('three\n')).toBe('one\ntwo\nthree\n');
    });

    it('returns what was given meanwhile when the peer refuses', async () => {
      const endpoint = await sockets.unusedEndpoint();
      const { connector, events } = await sockets.client();
      const connection = connector.connect(endpoint);
      connector.send(connection, 'one');
      connector.send(connection, 'two');

      const event = await events.next('finishConnect');

      expect(event).toMatchObject({ connection, success: false, queued: ['one', 'two'] });
      expect(event.error).toMatchObject({
        code: 'PIKE_ERR_CONNECT_FAILED',
        message: expect.stringContaining(showEndpoint(endpoint)),
        cause: { code: transport.facts.refusal },
      });
      connector.send(connection, 'too late');
      expect(await events.next('rejectedMessage')).toMatchObject({
        message: 'too late',
        error: { code: 'PIKE_ERR_DISCONNECTED' },
      });
      expect(events.types()).toEqual(['finishConnect', 'rejectedMessage']);
    });

    it('fails when the timeout has passed', async () => {
      const endpoint = await sockets.silentEndpoint();
      const { connector, events } = await sockets.client({ connectTimeout: 60_000 });
      const connection = connector.connect(endpoint, { timeout: 20 });
      connector.send(connection, 'one');

      expect(await events.next('finishConnect')).toMatchObject({
        success: false,
        queued: ['one'],
        error: unanswered('PIKE_ERR_CONNECT_TIMEOUT', '20 ms'),
      });
    });

    it('uses connectTimeout where the call gives none', async () => {
      const endpoint = await sockets.silentEndpoint();
      const { connector, events } = await sockets.client({ connectTimeout: 30 });
      connector.connect(endpoint);

      expect(await events.next('finishConnect')).toMatchObject({
        error: unanswered('PIKE_ERR_CONNECT_TIMEOUT', '30 ms'),
      });
    });

    it.each([
      ['a port that is none', { host: '127.0.0.1', port: 0 }],
      ['no host', { host: '', port: 1 }],
      ['an empty path', { path: '' }],
    ])('throws for %s, and has no connection then', async (_, endpoint) => {
      const { connector } = await sockets.client();

      expect(await pikeErrorOf(() => connector.connect(endpoint))).toMatchObject({
        code: 'PIKE_ERR_INVALID_ENDPOINT',
      });
      expect([...connector.connections]).toEqual([]);
    });

    it.each<[string, unknown]>([
      ['timeout', { timeout: Number.POSITIVE_INFINITY }],
      ['timeout', { timeout: 0 }],
      ['separate', { separate: 'yes' }],
      ['signal', { signal: {} }],
      ['timeOut', { timeOut: 5 }],
      ['options', null],
    ])('throws for a wrong option and names it: %s, %j', async (name, options) => {
      const { address } = await sockets.listener();
      const { connector } = await sockets.client();

      expect(
        await pikeErrorOf(() => connector.connect(address, options as ConnectOptions)),
      ).toMatchObject({
        code: 'PIKE_ERR_INVALID_OPTION',
        message: expect.stringContaining(`"${name}"`),
      });
      expect([...connector.connections]).toEqual([]);
    });
  });

  describe('connecting with a signal', () => {
    it('fails at once when the signal is aborted already', async () => {
      const { address } = await sockets.listener();
      const { connector, events } = await sockets.client();
      const reason = new Error('changed my mind');

      const connection = connector.connect(address, { signal: AbortSignal.abort(reason) });
      connector.send(connection, 'too late');

      expect(await events.next('finishConnect')).toMatchObject({
        connection,
        success: false,
        queued: [],
        error: { code: 'PIKE_ERR_CONNECT_ABORTED', cause: reason },
      });
      expect(await events.next('rejectedMessage')).toMatchObject({ message: 'too late' });
      expect([...connector.connections]).toEqual([]);
    });

    it('fails when the signal is aborted meanwhile', async () => {
      const { connector, events } = await sockets.client();
      const abortion = new AbortController();
      const connection = connector.connect(await sockets.silentEndpoint(), {
        signal: abortion.signal,
      });
      connector.send(connection, 'one');

      abortion.abort();

      expect(await events.next('finishConnect')).toMatchObject({
        success: false,
        queued: ['one'],
        error: { code: 'PIKE_ERR_CONNECT_ABORTED' },
      });
    });

    it('has no effect once connected', async () => {
      const listener = await sockets.listener();
      const { connector, events } = await sockets.client();
      const abortion = new AbortController();
      const connection = connector.connect(listener.address, { signal: abortion.signal });
      await events.next('finishConnect');

      abortion.abort();

      connector.send(connection, 'alive');
      await (await listener.accept()).sees('alive\n');
      expect(events.types()).toEqual(['finishConnect']);
    });
  });

  describe('disconnecting while connecting', () => {
    it.each([{ now: true }, { finishMessages: true }] as const)(
      'ends at once with %j',
      async (how) => {
        const { connector, events } = await sockets.client();
        const connection = connector.connect(await sockets.silentEndpoint());
        connector.send(connection, 'one');

        connector.disconnect(connection, how);

        expect(await events.next('finishConnect')).toMatchObject({
          success: false,
          queued: ['one'],
          error: { code: 'PIKE_ERR_CONNECT_ABORTED' },
        });
        expect(events.types()).toEqual(['finishConnect']);
      },
    );

    it('waits for the connection with finishQueues, and sends everything first', async () => {
      const listener = await sockets.listener();
      const { connector, events } = await sockets.client();
      const connection = connector.connect(listener.address);
      connector.send(connection, 'one');

      connector.disconnect(connection, { finishQueues: true });
      connector.send(connection, 'two');

      const peer = await listener.accept();
      await peer.ended;
      expect(peer.text).toBe('one\ntwo\n');
      await events.next('finishDisconnect');
      expect(events.types()).toEqual(['finishConnect', 'finishDisconnect']);
    });

    it('ends when the deadline of finishQueues has passed', async () => {
      const { connector, events } = await sockets.client();
      const connection = connector.connect(await sockets.silentEndpoint());
      connector.send(connection, 'one');

      connector.disconnect(connection, { finishQueues: true, deadline: 20 });

      expect(await events.next('finishConnect')).toMatchObject({
        success: false,
        queued: ['one'],
        error: unanswered('PIKE_ERR_DEADLINE', '20 ms'),
      });
    });

    it('ends at once when now follows finishQueues', async () => {
      const { connector, events } = await sockets.client();
      const connection = connector.connect(await sockets.silentEndpoint());
      connector.disconnect(connection, { finishQueues: true });

      connector.disconnect(connection, { now: true });

      expect(await events.next('finishConnect')).toMatchObject({ success: false });
    });
  });
}

/*
 * Prevents: an application that believes it listens and does not, that cannot tell why listening
 * failed, or whose port stays taken after it has stopped.
 */
import { describe, expect, it } from '@jest/globals';
import { showEndpoint } from 'nestjs-pike/core';
import type { Endpoint } from 'nestjs-pike/core';
import { pikeErrorOf } from '../support/rejections.js';
import { addressOf, useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function starting(transport: Transport): void {
  const sockets = useSockets(transport);

  describe('run', () => {
    it('listens where it was told, on a free port for port 0, and says where', async () => {
      const place = await sockets.place();
      const connector = await sockets.running(place);

      expect(addressOf(connector)).toEqual(
        'path' in place ? place : { host: place.host, port: expect.any(Number) },
      );
      expect(addressOf(connector)).not.toMatchObject({ port: 0 });
      await sockets.peer(addressOf(connector));
    });

    it('listens at exactly the place that was asked for', async () => {
      const endpoint = await sockets.unusedEndpoint();
      const connector = await sockets.running(endpoint);

      expect(connector.address).toEqual(endpoint);
    });

    it('does not listen when neither a port nor a path was given', async () => {
      const connector = await sockets.running();

      expect(connector.address).toBeUndefined();
    });

    it('rejects when the place is taken, and keeps the cause', async () => {
      const { address } = await sockets.listener();
      const connector = sockets.idle(address);

      const error = await pikeErrorOf(() => connector.run());

      expect(error).toMatchObject({
        code: 'PIKE_ERR_LISTEN_FAILED',
        message: expect.stringContaining(showEndpoint(address)),
        cause: { code: 'EADDRINUSE' },
      });
      expect(connector.address).toBeUndefined();
    });

    it('rejects when it is called again', async () => {
      const connector = sockets.idle();
      const first = connector.run();

      expect(await pikeErrorOf(() => connector.run())).toMatchObject({
        code: 'PIKE_ERR_ALREADY_RUNNING',
      });
      await first;
      expect(await pikeErrorOf(() => connector.run())).toMatchObject({
        code: 'PIKE_ERR_ALREADY_RUNNING',
      });
    });

    it('rejects after shutdown: a connector is used once', async () => {
      const connector = await sockets.running();
      await connector.shutdown({ now: true });

      expect(await pikeErrorOf(() => connector.run())).toMatchObject({
        code: 'PIKE_ERR_ALREADY_RUNNING',
      });
    });

    it('ends with nothing listening when shutdown is called before it has resolved', async () => {
      const endpoint = await sockets.unusedEndpoint();
      const connector = sockets.idle(endpoint);

      const running = connector.run();
      await connector.shutdown({ now: true });
      await running;

      expect(connector.address).toBeUndefined();
      await expectRefused(endpoint);
    });
  });

  describe('before run has resolved', () => {
    it('refuses to connect', async () => {
      const { address } = await sockets.listener();
      const connector = sockets.idle();

      expect(await pikeErrorOf(() => connector.connect(address))).toMatchObject({
        code: 'PIKE_ERR_NOT_RUNNING',
      });
      const running = connector.run();
      expect(await pikeErrorOf(() => connector.connectWaiting(address))).toMatchObject({
        code: 'PIKE_ERR_NOT_RUNNING',
      });
      await running;
      connector.connect(address);
    });

    it('can be shut down', async () => {
      const connector = sockets.idle(await sockets.place());

      await connector.shutdown({ finishQueues: true });

      expect(await connector.receive()).toBeUndefined();
    });

    it('has neither an address nor connections', async () => {
      const connector = sockets.idle(await sockets.place());

      expect(connector.address).toBeUndefined();
      expect([...connector.connections]).toEqual([]);
    });
  });

  describe('stopListening', () => {
    it('refuses new peers and keeps the present ones', async () => {
      const { connector, connection, events, peer } = await sockets.accepted();
      const endpoint = addressOf(connector);

      await connector.stopListening();

      expect(connector.address).toBeUndefined();
      await expectRefused(endpoint);
      connector.send(connection, 'still here');
      await peer.sees('still here\n');
      peer.write('me too\n');
      await events.next('messageReceived');
      expect(events.messages()).toEqual(['me too']);
    });

    it('frees its place at once', async () => {
      const { connector } = await sockets.accepted();
      const endpoint = addressOf(connector);
      await connector.stopListening();

      const second = await sockets.running(endpoint);

      expect(second.address).toEqual(endpoint);
    });

    it('may be called again, and on a connector that does not listen', async () => {
      const connector = await sockets.listening();
      await Promise.all([connector.stopListening(), connector.stopListening()]);
      await connector.stopListening();
      await (await sockets.running()).stopListening();

      expect(connector.address).toBeUndefined();
    });

    it('goes on dialling', async () => {
      const { address } = await sockets.listener();
      const { connector, events } = await sockets.server();
      await connector.stopListening();

      connector.connect(address);

      expect(await events.next('finishConnect')).toMatchObject({ success: true });
    });
  });

  describe('maxConnections', () => {
    it('refuses peers beyond it without an event, and takes others once there is room', async () => {
      const { connector, events } = await sockets.server({ maxConnections: 1 });
      const first = await sockets.peer(addressOf(connector));
      await events.next('remoteConnect');

      await sockets.refused(addressOf(connector));

      expect(events.types()).toEqual(['remoteConnect']);
      first.end();
      await events.next('remoteDisconnect');
      await first.closed;
      const next = await sockets.peer(addressOf(connector));
      await events.next('remoteConnect');
      next.write('in\n');
      await events.next('messageReceived');
    });

    it('counts those that are still lingering', async () => {
      const { connector, connection, events, peer } = await sockets.accepted({
        maxConnections: 1,
        lingerTimeout: 60_000,
      });
      connector.disconnect(connection, { finishQueues: true });
      await events.next('finishDisconnect');
      expect([...connector.connections]).toEqual([]);

      await sockets.refused(addressOf(connector));

      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
      peer.end();
      await peer.closed;
    });
  });

  async function expectRefused(endpoint: Endpoint): Promise<void> {
    await expect(sockets.peer(endpoint)).rejects.toMatchObject({ code: transport.facts.refusal });
  }
}

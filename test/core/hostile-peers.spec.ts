// Prevents: a peer that misbehaves costs more than its own connection: a message that never ends, a
// peer that never reads, a length of 4 GiB, connections opened and closed in a loop.
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { NetConnector } from 'nestjs-pike/core';
import { LengthPrefixedConverter } from 'nestjs-pike/converters';
import { EventRecorder } from '../support/event-recorder.js';
import { RawPeer } from '../support/raw-peer.js';
import { addressOf, useSockets } from '../support/use-sockets.js';

const sockets = useSockets();

describe('a peer that never finishes its message', () => {
  it('loses its connection after incompleteMessageTimeout, and nobody else does', async () => {
    const { connector, events } = await sockets.server({
      incompleteMessageTimeout: 100,
      minBytesPerSecond: 1024,
    });
    const idle = await sockets.peer(addressOf(connector));
    await events.next('remoteConnect');
    const slow = await sockets.peer(addressOf(connector));
    const { connection } = await events.next('remoteConnect');
    slow.write('whole\nbegun and never');
    const { error } = await events.next('finishDisconnect', connection);
    expect(error).toMatchObject({ code: 'PIKE_ERR_INCOMPLETE_TIMEOUT' });
    expect(events.messages()).toEqual(['whole']);
    idle.write('still here\n');
    await events.next('messageReceived');
    await events.next('messageReceived');
    expect(events.messages()).toEqual(['whole', 'still here']);
  });

  it('is given more time as long as it sends fast enough', async () => {
    const { connector, events } = await sockets.server({
      incompleteMessageTimeout: 50,
      minBytesPerSecond: 1,
    });
    const peer = await sockets.peer(addressOf(connector));
    const { connection } = await events.next('remoteConnect');
    peer.write('x'.repeat(1000));
    // Another connection of the same connector is cut off meanwhile: the clock does go.
    const silent = await sockets.peer(addressOf(connector));
    const { connection: cutOff } = await events.next('remoteConnect');
    silent.write('?');
    // One byte at one byte per second: overdue as soon as the first second is over.
    await events.next('finishDisconnect', cutOff);
    peer.write('\n');
    const { message } = await events.next('messageReceived', connection);
    expect(message).toHaveLength(1000);
  });
});

describe('a peer that never reads', () => {
  it('loses its connection after stallTimeout; what it did not take comes back', async () => {
    const { connector, events, connection, peer } = await sockets.accepted({
      stallTimeout: 100,
      peerReads: false,
    });
    const messages = Array.from({ length: 300 }, (_, index) => `${index} ${'x'.repeat(65_536)}`);
    for (const message of messages) connector.send(connection, message);
    const end = await events.next('finishDisconnect', connection);
    expect(end.error).toMatchObject({ code: 'PIKE_ERR_STALLED' });
    const returned = [...(end.incomplete === undefined ? [] : [end.incomplete]), ...end.queued];
    expect(end.uncertain).toEqual([]);
    expect(returned.length).toBeGreaterThan(100);
    expect(messages.slice(-returned.length)).toEqual(returned);
    peer.resume();
    await peer.ended;
  });

  it('is left alone while it takes something now and then', async () => {
    const { connector, events, connection, peer } = await sockets.accepted({
      stallTimeout: 300,
      peerReads: false,
    });
    const total = 200;
    for (let i = 0; i < total; i++) connector.send(connection, 'x'.repeat(65_535));
    const flushed = connector.flushed(connection);
    // Reads a part at a time, each time long before the timeout has passed.
    peer.socket.on('data', () => {
      peer.pause();
      setImmediate(() => peer.resume());
    });
    peer.resume();
    await flushed;
    await peer.bytes(total * 65_536);
    expect(events.types(connection)).not.toContain('finishDisconnect');
  });
});

describe('a peer that declares a message of 4 GiB', () => {
  it('loses its connection before a byte of it is buffered', async () => {
    const connector = new NetConnector({
      converter: new LengthPrefixedConverter(),
      host: '127.0.0.1',
      port: 0,
    });
    sockets.defer(() => connector.shutdown({ now: true }));
    await connector.run();
    const events = new EventRecorder(connector);
    const peer = await sockets.peer(addressOf(connector));
    peer.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    const { error } = await events.next('finishDisconnect');
    expect(error).toMatchObject({ code: 'PIKE_ERR_MESSAGE_TOO_LARGE' });
    await peer.ended;
  });
});

describe('a peer that sends a byte at a time', () => {
  it('is served, whatever it costs itself', async () => {
    const { connector, events } = await sockets.server();
    const peer = await sockets.peer(addressOf(connector));
    await events.next('remoteConnect');
    const text = randomBytes(200).toString('hex');
    for (const character of `${text}\n`) {
      await new Promise((resolve) => peer.socket.write(character, resolve));
    }
    const { message } = await events.next('messageReceived');
    expect(message).toBe(text);
  });
});

describe('peers that open and close in a loop', () => {
  it('leave nothing behind', async () => {
    const { connector, events } = await sockets.server();
    for (let round = 0; round < 20; round++) {
      const peers = await Promise.all(
        Array.from({ length: 25 }, () => RawPeer.connect(addressOf(connector))),
      );
      for (const [index, peer] of peers.entries()) {
        if (index % 2 === 0) peer.reset();
        else peer.socket.destroy();
      }
      for (const _ of peers) await events.next('remoteDisconnect');
    }
    expect([...connector.connections]).toEqual([]);
    const after = await sockets.peer(addressOf(connector));
    after.write('still here\n');
    const { message } = await events.next('messageReceived');
    expect(message).toBe('still here');
  });
});

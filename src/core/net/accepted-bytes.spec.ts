// Prevents: a count of accepted bytes that is not what the peer reads. Every fate of a message is
// derived from it, and it comes from a part of Node that is not documented: this suite must pass on
// every supported version.
import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import type { RawListener, RawPeer } from '../../../test/support/raw-peer.js';
import { useSockets } from '../../../test/support/use-sockets.js';
import { acceptedBytesOf } from './accepted-bytes.js';
import type { WireHost } from '../link/wire.js';
import type { AcceptedBytes } from '../outbound/write-progress.js';
import { Wire } from '../link/wire.js';

/** More than the kernel holds for a peer that does not read. */
const TOO_MUCH = Buffer.alloc(16 * 1024 * 1024, 'x');

const sockets = useSockets();

interface Pair {
  socket: Socket;
  acceptedBytes: AcceptedBytes;
  /** Does not read. */
  peer: RawPeer;
  errors: NodeJS.ErrnoException[];
}

async function pairOver(kind: 'TCP' | 'unix', { host }: { host?: string } = {}): Promise<Pair> {
  const at = kind === 'unix' ? { path: await sockets.socketPath() } : undefined;
  const listener: RawListener = await sockets.listener({ at, reading: false });
  const { address } = listener;
  const endpoint = 'port' in address && host !== undefined ? { ...address, host } : address;
  const socket = createConnection({ ...endpoint, allowHalfOpen: true });
  const errors: NodeJS.ErrnoException[] = [];
  socket.on('error', (error) => errors.push(error));
  sockets.defer(() => Promise.resolve(socket.destroy()));
  await once(socket, 'connect');
  const acceptedBytes = acceptedBytesOf(socket);
  return { socket, acceptedBytes, peer: await listener.accept(), errors };
}

/** The other way round: the socket was accepted, and reads nothing at all, so that it is deaf. */
async function deafPairOver(kind: 'TCP' | 'unix'): Promise<Pair> {
  const at = kind === 'unix' ? { path: await sockets.socketPath() } : undefined;
  const listener: RawListener = await sockets.listener({ at, reading: false });
  const peer = await sockets.peer(listener.address, { reading: false });
  const socket = (await listener.accept()).socket as Socket;
  const errors: NodeJS.ErrnoException[] = [];
  socket.on('error', (error) => errors.push(error));
  return { socket, acceptedBytes: acceptedBytesOf(socket), peer, errors };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Until the kernel takes no more: the figure has stood still for some turns. */
async function settled(acceptedBytes: AcceptedBytes): Promise<number> {
  let last = -1;
  let still = 0;
  while (still < 20) {
    const now = acceptedBytes() ?? NaN;
    still = now === last ? still + 1 : 0;
    last = now;
    await turn();
  }
  return acceptedBytes() ?? NaN;
}

/** Everything that is still on its way to the peer. */
async function readToEnd(peer: RawPeer): Promise<number> {
  peer.resume();
  await peer.ended;
  return peer.bytesReceived;
}

describe.each(['TCP', 'unix'] as const)('acceptedBytesOf a %s socket', (kind) => {
  it('says, before destroy, what a peer reads that had not read before', async () => {
    const { socket, acceptedBytes, peer } = await pairOver(kind);
    socket.write(TOO_MUCH);
    const accepted = await settled(acceptedBytes);
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(TOO_MUCH.length);
    socket.destroy();
    expect(await readToEnd(peer)).toBe(accepted);
  });

  it('says so in the turn of the write, too', async () => {
    const { socket, acceptedBytes, peer } = await pairOver(kind);
    socket.write(TOO_MUCH);
    const accepted = acceptedBytes();
    expect(accepted).toBeLessThan(TOO_MUCH.length);
    socket.destroy();
    expect(await readToEnd(peer)).toBe(accepted);
  });

  it('says so in the middle of a transfer', async () => {
    const { socket, acceptedBytes, peer } = await pairOver(kind);
    socket.write(TOO_MUCH);
    peer.resume();
    await peer.bytes(100_000);
    const accepted = acceptedBytes();
    expect(accepted).toBeGreaterThanOrEqual(100_000);
    socket.destroy();
    expect(await readToEnd(peer)).toBe(accepted);
  });

  it('says so after many small writes', async () => {
    const { socket, acceptedBytes, peer } = await pairOver(kind);
    let given = 0;
    // One write at a time, as the wire does.
    const writeOn = (): void => {
      const bytes = 1 + (given % 50_000);
      given += bytes;
      socket.write(TOO_MUCH.subarray(0, bytes), (error) => {
        if (!error) writeOn();
      });
    };
    writeOn();
    const accepted = await settled(acceptedBytes);
    expect(accepted).toBeLessThan(given);
    socket.destroy();
    expect(await readToEnd(peer)).toBe(accepted);
  });

  it('counts from nothing', async () => {
    const { acceptedBytes } = await pairOver(kind);
    expect(acceptedBytes()).toBe(0);
  });

  it('is sure that a socket which is destroyed already accepts nothing', async () => {
    const { socket, peer } = await pairOver(kind);
    socket.destroy();
    const acceptedBytes = acceptedBytesOf(socket);
    socket.write(TOO_MUCH, () => {});
    expect(acceptedBytes()).toBe(0);
    expect(await readToEnd(peer)).toBe(0);
    expect(acceptedBytes()).toBe(0);
  });

  it('is right for a socket that was accepted', async () => {
    const { socket, acceptedBytes, peer } = await deafPairOver(kind);
    socket.write(TOO_MUCH);
    const accepted = await settled(acceptedBytes);
    socket.destroy();
    expect(await readToEnd(peer)).toBe(accepted);
  });
});

describe('acceptedBytesOf a TCP socket that breaks', () => {
  it('says, in an error of reading, what a peer had read that has read everything', async () => {
    const { socket, acceptedBytes, peer } = await pairOver('TCP');
    socket.resume();
    socket.write(TOO_MUCH);
    peer.resume();
    await peer.bytes(TOO_MUCH.length);
    peer.reset();
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.syscall).toBe('read');
    expect(acceptedBytes()).toBe(peer.bytesReceived);
  });

  it('says, in an error of reading, what it said before the peer reset', async () => {
    const { socket, acceptedBytes, peer } = await pairOver('TCP');
    socket.resume();
    socket.write(TOO_MUCH);
    const before = await settled(acceptedBytes);
    expect(before).toBeLessThan(TOO_MUCH.length);
    peer.reset();
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.syscall).toBe('read');
    expect(acceptedBytes()).toBe(before);
  });

  it('finds the handle of a host name, which connecting replaces', async () => {
    const { socket, acceptedBytes, peer } = await pairOver('TCP', { host: 'localhost' });
    socket.write(TOO_MUCH);
    const accepted = await settled(acceptedBytes);
    socket.destroy();
    expect(await readToEnd(peer)).toBe(accepted);
  });
});

class Recorder implements WireHost {
  chunksWritten = 0;
  brokenBy: string | undefined;
  readonly broke: Promise<void>;
  readonly owner: WireHost['owner'];
  #onBroken: (() => void) | undefined;

  constructor(count: (socket: Socket) => AcceptedBytes) {
    this.owner = { acceptedBytesOf: count };
    this.broke = new Promise((resolve) => (this.#onBroken = resolve));
  }

  data(): void {}
  remoteEnd(): void {}
  gone(): void {}

  written(): void {
    this.chunksWritten++;
  }

  broken(error: Error): void {
    const cause = error.cause as NodeJS.ErrnoException | undefined;
    this.brokenBy ??= cause?.syscall;
    this.#onBroken?.();
  }
}

describe.each(['TCP', 'unix'] as const)('Wire over %s', (kind) => {
  it('says to the byte how much of the chunk in flight was accepted', async () => {
    const { socket, acceptedBytes, peer } = await pairOver(kind);
    const host = new Recorder(() => acceptedBytes);
    const wire = new Wire(socket, host);
    wire.write(TOO_MUCH.subarray(0, 1000));
    expect(wire.accepted()).toEqual({ exact: 1000 });
    while (host.chunksWritten === 0) await turn();
    expect(wire.accepted()).toEqual({ exact: 0 });
    wire.write(TOO_MUCH);
    const accepted = (await settled(acceptedBytes)) - 1000;
    expect(wire.accepted()).toEqual({ exact: accepted });
    wire.destroy();
    expect(await readToEnd(peer)).toBe(1000 + accepted);
    expect(host.chunksWritten).toBe(1);
    expect(host.brokenBy).toBeUndefined();
  });

  it('claims, after a pending write has failed, no more than a peer has read that read on', async () => {
    const { socket, acceptedBytes, peer, errors } = await deafPairOver(kind);
    const { _handle: handle } = socket as unknown as { _handle: Record<string, number> };
    const host = new Recorder(() => acceptedBytes);
    const wire = new Wire(socket, host);
    wire.write(TOO_MUCH);
    const floor = acceptedBytes() as number;
    expect(floor).toBeGreaterThan(0);
    peer.resume();
    await peer.bytes(floor);
    // With bytes unread, so that closing resets a unix-domain socket as well.
    peer.pause();
    await settled(acceptedBytes);
    breakOff(peer, kind);
    await host.broke;
    expect(errors[0]?.syscall).toBe('write');
    expect(wire.accepted()).toEqual({ atLeast: floor });
    expect(floor).toBeLessThanOrEqual(peer.bytesReceived);
    expect(acceptedBytes()).toBeUndefined();
    // What it must not believe: the system now claims to have taken everything.
    expect(handle).toMatchObject({ bytesWritten: TOO_MUCH.length, writeQueueSize: 0 });
  });

  it('claims nothing of a chunk that was refused at once, and is sure of it', async () => {
    const { socket, acceptedBytes, peer, errors } = await deafPairOver(kind);
    const host = new Recorder(() => acceptedBytes);
    const wire = new Wire(socket, host);
    wire.write(TOO_MUCH.subarray(0, 1000));
    peer.resume();
    await peer.bytes(1000);
    while (host.chunksWritten === 0) await turn();
    breakOff(peer, kind);
    await peer.closed;
    wire.write(TOO_MUCH.subarray(0, 2000));
    expect(wire.accepted()).toEqual({ exact: 0 });
    await host.broke;
    expect(errors[0]?.syscall).toBe('write');
    expect(wire.accepted()).toEqual({ exact: 0 });
    expect(peer.bytesReceived).toBe(1000);
    expect(host.chunksWritten).toBe(1);
  });
});

describe('Wire over a socket that is destroyed before the first chunk', () => {
  it('is sure that none of the chunk was accepted', async () => {
    const { socket, peer } = await pairOver('TCP');
    const wire = new Wire(socket, new Recorder(acceptedBytesOf));
    socket.destroy();
    expect(wire.write(TOO_MUCH)).toBe(false);
    expect(wire.accepted()).toEqual({ exact: 0 });
    expect(await readToEnd(peer)).toBe(0);
  });
});

describe('Wire over TCP that is read', () => {
  it('is sure of the chunk in flight when the peer resets', async () => {
    const { socket, acceptedBytes, peer } = await pairOver('TCP');
    const host = new Recorder(() => acceptedBytes);
    const wire = new Wire(socket, host);
    wire.resume();
    wire.write(TOO_MUCH);
    const before = await settled(acceptedBytes);
    peer.reset();
    await host.broke;
    expect(host.brokenBy).toBe('read');
    expect(wire.accepted()).toEqual({ exact: before });
  });
});

/** Breaks the connection off from the peer's side: by a reset, or as near as the kind comes to it. */
function breakOff(peer: RawPeer, kind: 'TCP' | 'unix'): void {
  if (kind === 'TCP') peer.reset();
  else peer.socket.destroy();
}

// Prevents: a connection in memory that behaves otherwise than a TCP socket, so that what was tested
// with it is not what runs.
import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { MEMORY_PIPE_BYTES } from './memory-pipe.js';
import { MemorySocket } from './memory-socket.js';

function pair(): [MemorySocket, MemorySocket] {
  const ends: [MemorySocket, MemorySocket] = [new MemorySocket(), new MemorySocket()];
  MemorySocket.join(...ends);
  return ends;
}

async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function readAll(socket: MemorySocket): Promise<string> {
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString())).resume();
  await once(socket, 'end');
  return text;
}

async function errorOf(socket: MemorySocket): Promise<NodeJS.ErrnoException> {
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  return error;
}

describe('MemorySocket', () => {
  it('carries bytes both ways, whatever their number', async () => {
    const [one, other] = pair();
    const large = 'x'.repeat(10 * MEMORY_PIPE_BYTES + 1);
    one.end(large);
    other.end('hello');
    expect(await Promise.all([readAll(one), readAll(other)])).toEqual(['hello', large]);
  });

  it('delivers in a later turn, not from within write', async () => {
    const [one, other] = pair();
    const log: string[] = [];
    other.on('data', (bytes: Buffer) => log.push(bytes.toString()));
    await turns();
    one.write('hello');
    await Promise.resolve();
    log.push('written');
    await turns();
    expect(log).toEqual(['written', 'hello']);
  });

  it('can be written to before it is joined', async () => {
    const one = new MemorySocket();
    const other = new MemorySocket();
    one.end('early');
    await turns();
    MemorySocket.join(one, other);
    expect(await readAll(other)).toBe('early');
  });

  it('accepts exactly what a peer that does not read leaves room for', async () => {
    const [one, other] = pair();
    other.pause();
    let written = false;
    one.write(Buffer.alloc(MEMORY_PIPE_BYTES + 1000), () => (written = true));
    expect(one.acceptedBytes).toBe(MEMORY_PIPE_BYTES);
    await turns();
    expect([one.acceptedBytes, written]).toEqual([MEMORY_PIPE_BYTES, false]);

    other.resume();
    await turns();
    expect([one.acceptedBytes, written]).toEqual([MEMORY_PIPE_BYTES + 1000, true]);
  });

  it('gives everything accepted before it was destroyed to a peer that reads later', async () => {
    const [one, other] = pair();
    other.pause();
    one.write(Buffer.alloc(MEMORY_PIPE_BYTES + 1000, 'x'));
    one.destroy();
    await turns();
    expect(await readAll(other)).toHaveLength(one.acceptedBytes);
  });

  it('goes on reading when its own side has ended, and closes when both have', async () => {
    const [one, other] = pair();
    one.end('question');
    expect(await readAll(other)).toBe('question');
    other.end('answer');
    expect(await readAll(one)).toBe('answer');
    await turns();
    expect([one.closed, other.closed]).toEqual([true, true]);
  });

  it('hears an end although it has stopped reading, if nothing comes before', async () => {
    const [one, other] = pair();
    other.resume();
    await turns();
    other.pause();
    one.end();
    await once(other, 'end');
    expect(other.readableEnded).toBe(true);
  });

  it('hears nothing while it has never read', async () => {
    const [one, other] = pair();
    other.pause();
    one.end('last words');
    one.destroy();
    await turns();
    expect([other.readableEnded, other.destroyed]).toEqual([false, false]);
    expect(await readAll(other)).toBe('last words');
  });

  it('is reset by a peer that closes with bytes unread, which it loses', async () => {
    const [one, other] = pair();
    other.pause();
    other.write('never read');
    one.pause();
    one.write('unread');
    await turns();
    other.destroy();
    const failed = errorOf(one);
    let received = 0;
    one.on('data', () => received++);
    one.resume();
    expect(await failed).toMatchObject({ code: 'ECONNRESET', syscall: 'read' });
    expect(received).toBe(0);
  });

  it('is reset by a peer that resets, and both are closed', async () => {
    const [one, other] = pair();
    one.resume();
    await turns();
    const failed = errorOf(one);
    other.resetAndDestroy();
    expect(await failed).toMatchObject({ code: 'ECONNRESET', message: 'read ECONNRESET' });
    await turns();
    expect([one.closed, other.closed]).toEqual([true, true]);
  });

  it('that does not read learns of a reset when it writes, or when a write is pending', async () => {
    for (const pending of [true, false]) {
      const [one, other] = pair();
      one.pause();
      other.pause();
      if (pending) one.write(Buffer.alloc(MEMORY_PIPE_BYTES + 1));
      await turns();
      other.resetAndDestroy();
      if (!pending) await turns();
      const failed = errorOf(one);
      if (!pending) one.write('anybody there?');
      expect(await failed).toMatchObject({ code: 'EPIPE', syscall: 'write' });
      expect(one.acceptedBytes).toBe(pending ? MEMORY_PIPE_BYTES : 0);
    }
  });
});

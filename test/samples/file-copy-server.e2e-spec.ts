// Prevents: a file server that one sender can bring down, that writes where it should not, or that keeps
// parts of files whose senders are gone.
import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { eventually } from '../support/eventually.js';
import { fileFrame, fileHeader } from '../support/file-frame.js';
import type { RawPeer } from '../support/raw-peer.js';
import { nextTurn } from '../support/turns.js';
import { useSockets } from '../support/use-sockets.js';
import { sha256, useFileCopy } from './file-copy-programs.js';
import type { FileCopy, FileServer } from './file-copy-programs.js';

const sockets = useSockets();
const MIB = 1024 * 1024;

let copy: FileCopy;
useFileCopy((next) => (copy = next));

/** A sender that is in the middle of a file, and stays there. */
async function midFile({ endpoint }: FileServer): Promise<RawPeer> {
  const peer = await sockets.peer(endpoint);
  peer.write(fileHeader({ name: 'half', size: BigInt(10 * MIB) }));
  peer.write(randomBytes(MIB));
  await eventually(() => copy.partSizes().includes(MIB));
  return peer;
}

describe('the server of file copy', () => {
  it('answers whoever speaks its protocol with a line of JSON', async () => {
    const { endpoint } = await copy.startServer();
    const peer = await sockets.peer(endpoint);
    peer.write(fileFrame('a.txt', 'content'));
    expect(JSON.parse(await peer.sees('\n'))).toEqual({
      name: 'a.txt',
      storedAs: 'a.txt',
      size: 7,
      sha256: sha256('content'),
    });
    expect(await copy.stored('a.txt')).toEqual(Buffer.from('content'));
  });

  it('keeps nothing of a file whose sender is lost', async () => {
    const server = await copy.startServer();
    const peer = await midFile(server);
    peer.reset();
    await server.program.prints('A sender was lost');
    await eventually(() => copy.partSizes().length === 0);
    expect(await copy.storedNames()).toEqual([]);
  });

  it('leaves no part when it is stopped', async () => {
    const server = await copy.startServer();
    await midFile(server);
    server.program.kill('SIGTERM');
    expect(await server.program.ended).toMatchObject({ signal: 'SIGTERM' });
    expect(await copy.storedNames()).toEqual([]);
  });

  it('leaves a part when it is killed, and deletes it when it is started again', async () => {
    const server = await copy.startServer();
    const whole = await copy.file('whole', 'content');
    await copy.send(server.endpoint, whole);
    await midFile(server);
    server.program.kill('SIGKILL');
    await server.program.ended;
    expect(copy.partSizes()).toHaveLength(1);
    const again = await copy.startServer({ port: server.endpoint.port });
    await again.program.prints('Stale parts deleted: 1\n');
    expect(await copy.storedNames()).toEqual(['whole']);
  });

  it('does not take the part of one that runs already, when it is started a second time', async () => {
    const server = await copy.startServer();
    await midFile(server);
    await expect(copy.startServer({ port: server.endpoint.port })).rejects.toThrow('EADDRINUSE');
    expect(copy.partSizes()).toHaveLength(1);
  });

  it('survives hostile senders, and stores nothing of theirs', async () => {
    const { endpoint, program } = await copy.startServer({ limit: 1000 });
    const wrong = fileFrame('fine', 'content');
    wrong.writeUInt8(0, wrong.length - 1);
    const hostile: Record<string, Buffer> = {
      'leaves the directory': fileFrame('../escape', 'content'),
      'leaves it upwards': fileFrame('..', 'content'),
      'leaves it by a path of Windows': fileFrame('..\\escape', 'content'),
      'is absolute': fileFrame('/tmp/escape', 'content'),
      'is cut short by a NUL': fileFrame('fine\0.txt', 'content'),
      'is a device': fileFrame('NUL.txt', 'content'),
      'is hidden': fileFrame('.bashrc', 'content'),
      'looks like a part': fileFrame('.fine.0123456789ab.part', 'content'),
      'is empty': fileFrame('', 'content'),
      'is longer than fits with its mark, and hidden': fileFrame(`.${'x'.repeat(254)}`, 'content'),
      'is too large': fileHeader({ size: 1001n }),
      'is larger than any disk': fileHeader({ size: 2n ** 64n - 1n }),
      'has a wrong checksum': wrong,
      'is no file': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    };
    for (const [what, bytes] of Object.entries(hostile)) {
      const peer = await sockets.peer(endpoint);
      peer.write(bytes);
      await peer.ended;
      expect([what, peer.text]).toEqual([what, '']);
      await peer.destroy();
    }
    // More was declared than comes.
    const peer = await sockets.peer(endpoint);
    peer.write(fileFrame('short', 'content').subarray(0, -5));
    peer.end();
    await peer.ended;
    expect(peer.text).toBe('');
    await peer.destroy();
    await program.prints('A sender was lost');

    // The part may only come to be now: what opens it is not waited for.
    while ((await copy.storedNames()).length > 0) await nextTurn();
    // Long names are fine, and so is everybody else.
    const long = await copy.file('x'.repeat(255), 'content');
    expect(await copy.send(endpoint, long)).toMatchObject({ code: 0, stderr: '' });
    expect(await copy.storedNames()).toEqual(['x'.repeat(255)]);
  });

  it('refuses a file over its limit, and what its sender has behind it comes back', async () => {
    const { endpoint, program } = await copy.startServer({ limit: 1000 });
    const large = await copy.file('large', 'x'.repeat(1001));
    const behind = await copy.file('behind', 'content');
    const { code, stderr } = await copy.send(endpoint, '--connections', '1', large, behind);
    expect(code).toBe(1);
    for (const path of [large, behind]) expect(stderr).toContain(path);
    await program.prints('Raise maxFileBytes if that is expected');
    expect(await copy.storedNames()).toEqual([]);
  });

  it('survives a full disk, and stores what fits', async () => {
    // As a disk that is full after 1 MiB: in blocks of 512 bytes, by POSIX.
    const { endpoint, program } = await copy.startServer({ ulimit: '-f 2048' });
    const large = await copy.file('large', randomBytes(8 * MIB));
    const { code, stderr } = await copy.send(endpoint, large);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`NOT stored: ${large}\n`)]);
    await program.prints('cannot be stored: EFBIG');
    await eventually(() => copy.partSizes().length === 0);
    const small = await copy.file('small', 'content');
    expect(await copy.send(endpoint, small)).toMatchObject({ code: 0 });
    expect(await copy.storedNames()).toEqual(['small']);
  });
});

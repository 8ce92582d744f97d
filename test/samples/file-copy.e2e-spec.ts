// Prevents: a file copy that says that all is well and has lost a file, or that leaves half of one or
// two of it, whichever side is stopped or killed.
import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { HoldingProxy } from '../support/holding-proxy.js';
import { useSockets } from '../support/use-sockets.js';
import { sha256, useFileCopy } from './file-copy-programs.js';
import type { FileCopy } from './file-copy-programs.js';

const sockets = useSockets();
const MIB = 1024 * 1024;

let copy: FileCopy;
useFileCopy((next) => (copy = next));

describe('file copy', () => {
  it('brings several files over at once, and says what it has stored, in plain lines', async () => {
    const { endpoint, program } = await copy.startServer();
    const contents = new Map<string, Buffer>([
      ['large.bin', randomBytes(20 * MIB)],
      ['empty', Buffer.alloc(0)],
      ['Größe \u{1F600}.txt', Buffer.from('small')],
      ...Array.from({ length: 10 }, (_, index): [string, Buffer] => [`${index}`, randomBytes(999)]),
    ]);
    const paths = await Promise.all(
      Array.from(contents, ([name, content]) => copy.file(name, content)),
    );
    const { code, stdout, stderr } = await copy.send(endpoint, ...paths);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await copy.storedNames()).toEqual([...contents.keys()].sort());
    for (const [name, content] of contents) {
      expect([name, (await copy.stored(name)).equals(content)]).toEqual([name, true]);
      expect(stdout).toContain(`${sha256(content)}  ${join(copy.outbox, name)}  `);
    }
    expect(stdout).toContain('100 %  20.0 MiB of 20.0 MiB');
    expect(stdout).toContain('13 of 13 files are stored.');
    // oxlint-disable-next-line eslint/no-control-regex
    expect(stdout).not.toMatch(/[\r\u001b]/);
    program.kill('SIGTERM');
    expect(await program.ended).toMatchObject({ signal: 'SIGTERM', stderr: '' });
  });

  it('keeps one copy of a file that is sent again, and both of two that share a name', async () => {
    const { endpoint } = await copy.startServer();
    const path = await copy.file('report.txt', 'first');
    for (let time = 0; time < 2; time++) {
      const { code, stdout } = await copy.send(endpoint, path);
      expect([code, stdout]).toEqual([0, expect.stringContaining(`${path}  5 B`)]);
    }
    expect(await copy.storedNames()).toEqual(['report.txt']);
    await writeFile(path, 'other');
    const { stdout } = await copy.send(endpoint, path);
    const [, other] = stdout.match(/ as (report-[0-9a-f]{12}\.txt) {2}/) as RegExpMatchArray;
    expect(await copy.stored('report.txt')).toEqual(Buffer.from('first'));
    expect(await copy.stored(other as string)).toEqual(Buffer.from('other'));
    expect(await copy.storedNames()).toHaveLength(2);
  });

  it('sends what it can, and says what it cannot', async () => {
    const { endpoint } = await copy.startServer();
    const good = await copy.file('good', 'content');
    const bad = [join(copy.outbox, 'missing'), copy.outbox];
    // What cannot be sent is not tried again.
    const { code, stdout, stderr } = await copy.startSender(endpoint, ...bad, good).ended;
    expect([code, stdout]).toEqual([1, expect.stringContaining(`${sha256('content')}  ${good}`)]);
    expect(stdout).toContain('1 of 3 files are stored.');
    for (const path of bad) expect(stderr).toContain(`${path} cannot be sent: `);
    expect(stderr).not.toContain('again');
    expect(await copy.storedNames()).toEqual(['good']);
  });

  it('says what is wrong when nobody listens, or with its arguments', async () => {
    const path = await copy.file('a', 'content');
    const nobody = { host: '127.0.0.1', port: await freePort() };
    expect(await copy.send(nobody, path)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Could not connect[^]*\nNOT stored: /),
    });
    expect(await copy.send(nobody, join(copy.outbox, 'missing'))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ENOENT'),
    });
    for (const args of [
      [],
      ['--connections', '0', path],
      ['--attempts', 'many', path],
      ['--to', 'host', path],
      ['--what', path],
    ]) {
      expect(await copy.send(nobody, ...args)).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('Usage: send'),
      });
    }
  });

  it('is stopped in the middle of a file by Ctrl-C, and says what is not stored', async () => {
    const listener = await sockets.listener({ reading: false });
    const large = await copy.file('large', '');
    await truncate(large, 64 * MIB);
    const small = await copy.file('small', 'content');
    const sender = copy.startSender(listener.address, '--connections', '1', large, small);
    // It reads a little and no more, so that the file stays in its middle.
    const peer = await listener.accept();
    peer.resume();
    await peer.bytes(1);
    peer.pause();
    sender.kill('SIGINT');
    expect(await sender.ended).toMatchObject({
      code: 130,
      stdout: expect.stringContaining('0 of 2 files are stored.'),
      stderr: [large, small].map((path) => `NOT stored: ${path}\n`).join(''),
    });
  });

  it('trusts only receipts for its own files', async () => {
    const path = await copy.file('a', 'content');
    const receipt = { name: 'a', storedAs: 'a', size: 7, sha256: sha256('content') };
    for (const answer of [
      '\n',
      'null\n',
      '[]\n',
      JSON.stringify({ ...receipt, size: 8 }),
      JSON.stringify({ ...receipt, sha256: 'x' }),
      JSON.stringify({ ...receipt, storedAs: '\u001b[2J' }),
      undefined,
    ]) {
      const listener = await sockets.listener();
      const outcome = copy.send(listener.address, path);
      const peer = await listener.accept();
      await peer.sees('content');
      if (answer === undefined) peer.end();
      else peer.write(`${answer}\n`);
      expect(await outcome).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/^100 % .*\n0 of 1 files are stored\.\n$/),
        stderr: expect.stringContaining(`${path} may be stored, but no receipt came`),
      });
    }
  });

  it('leaves a file in doubt, if it was sent, and could not be sent again', async () => {
    const listener = await sockets.listener();
    const path = await copy.file('a', 'content');
    const sender = copy.startSender(listener.address, '--attempts', '2', path);
    const peer = await listener.accept();
    await peer.sees('content');
    await listener.close();
    const { code, stderr } = await sender.ended;
    expect([code, stderr]).toEqual([1, expect.stringMatching(/again \.\.\.\nCould not connect/)]);
    expect(stderr).toContain(`${path} may be stored, but no receipt came`);
    expect(stderr).not.toContain('NOT stored');
  });
});

describe('a sender that is cut off in the middle of a file', () => {
  it.each<NodeJS.Signals>(['SIGKILL', 'SIGTERM'])(
    'goes on when the server, which got %s, is there again, and stores each file once',
    async (signal) => {
      const { program, endpoint } = await copy.startServer();
      const contents = new Map([
        ['small', randomBytes(1000)],
        ['large', randomBytes(40 * MIB)],
        ['next', randomBytes(2 * MIB)],
      ]);
      const paths = await Promise.all(
        Array.from(contents, ([name, content]) => copy.file(name, content)),
      );
      const proxy = await HoldingProxy.listen(endpoint, 20 * MIB);
      sockets.defer(() => proxy.close());
      // The server may take its time to start.
      const options = ['--connections', '1', '--attempts', '1000'];
      const sender = copy.startSender(proxy.address, ...options, ...paths);
      await eventually(() => copy.partSizes().some((bytes) => bytes > 10 * MIB));
      program.kill(signal);
      await program.ended;
      const again = await copy.startServer({ port: endpoint.port });
      const { code, stdout, stderr } = await sender.ended;
      expect([code, stdout]).toEqual([0, expect.stringContaining('3 of 3 files are stored.')]);
      expect(stderr).toMatch(/A connection was cut off: .*\nSending \d of 3 files again/);
      expect(await copy.storedNames()).toEqual([...contents.keys()].sort());
      for (const [name, content] of contents) {
        expect([name, (await copy.stored(name)).equals(content)]).toEqual([name, true]);
      }
      again.program.kill('SIGTERM');
      expect(await again.program.ended).toMatchObject({ signal: 'SIGTERM', stderr: '' });
    },
  );
});

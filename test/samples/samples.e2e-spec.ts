// Prevents: the first thing that a newcomer runs does not do what it says.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../support/free-port.js';
import { Project } from '../support/project.js';
import { RawPeer } from '../support/raw-peer.js';

describe('the samples', () => {
  let project: Project;
  beforeAll(async () => {
    project = await Project.create();
    await project.addFolder('sample');
  });
  afterAll(() => project.remove());

  it('tour: prints the given words in requests, replies and returned messages, and exits by itself', async () => {
    const { code, stdout, stderr } = await project.run({
      file: 'sample/00-tour/main.js',
      args: ['17', 'otter'],
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const line of [
      `client  send('double', "17")`,
      'client    -> 34',
      ...'otter'.split('').map((letter) => `client    -> "${letter}"`),
      `got "17 otter"`,
      'event  remoteConnect',
      'event  remoteDisconnect',
      'event  finishDisconnect',
      'incomplete  "17 otter no. ',
      'to "17 otter no. 200',
      'uncertain  0 messages',
      'npm run sample -- 01-doubler',
    ]) {
      expect(stdout).toContain(line);
    }
    // Sent, incomplete and queued are all that was given.
    const [sent, queued] = ['sent', 'queued'].map((fate) =>
      Number(stdout.match(new RegExp(`${fate}\\s+(\\d+) messages`))?.[1]),
    );
    expect((sent as number) + 1 + (queued as number)).toBe(200);
  }, 30_000);

  it('doubler: serves its own client, a Nest client and any socket', async () => {
    const port = await freePort();
    const server = project.start({ file: 'sample/01-doubler/main.js', args: [`${port}`] });
    await server.prints(`127.0.0.1:${port}`);
    const client = await project.run({
      file: 'sample/01-doubler/client.js',
      args: [`127.0.0.1:${port}`, '1', '2.5', '-21'],
    });
    expect(client).toMatchObject({
      code: 0,
      stdout: '1 doubled is 2\n2.5 doubled is 5\n-21 doubled is -42\n',
    });
    const peer = await RawPeer.connect({ host: '127.0.0.1', port });
    peer.write('21.0 inf ');
    await expect(peer.sees('inf ')).resolves.toBe('42.0 inf ');
    await peer.destroy();
    server.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ signal: 'SIGTERM', stderr: '' });
  }, 30_000);

  it('doubler: its client says what is wrong', async () => {
    const port = await freePort();
    await expect(
      project.run({ file: 'sample/01-doubler/client.js', args: [`127.0.0.1:${port}`, '1'] }),
    ).resolves.toMatchObject({ code: 1, stderr: expect.stringContaining('Could not connect') });
    await expect(
      project.run({ file: 'sample/01-doubler/client.js', args: ['one'] }),
    ).resolves.toMatchObject({ code: 2, stderr: expect.stringContaining('Usage') });
  }, 30_000);
});

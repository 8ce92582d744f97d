// Prevents: a newcomer copies an example from the README that does not compile, or prints something else.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DocumentedProject } from '../support/documented-project.js';
import { freePort } from '../support/free-port.js';
import type { Project } from '../support/project.js';
import { RawPeer } from '../support/raw-peer.js';

describe('the examples of the README', () => {
  let page: DocumentedProject;
  let project: Project;
  let devicesPort: number;

  beforeAll(async () => {
    devicesPort = await freePort();
    page = await DocumentedProject.create('README.md', {
      4000: await freePort(),
      4001: devicesPort,
    });
    project = page.project;
  });
  afterAll(() => project.remove());

  it('compile, all of them', async () => {
    expect(page.files.size).toBeGreaterThan(7);
    await expect(page.problems()).resolves.toBe('');
  }, 60_000);

  it('serve and call', async () => {
    const server = project.start({ file: 'main.js' });
    await server.prints('successfully started');
    const caller = await project.run({ file: 'caller.js' });
    expect(caller).toEqual({
      code: 0,
      signal: null,
      stdout: page.outputs.get('caller.js'),
      stderr: '',
    });
    await server.prints('noted: sent, for sure');
    server.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ signal: 'SIGTERM', stderr: '' });
  }, 30_000);

  it('serve a protocol of their own', async () => {
    const server = project.start({ file: 'devices.js' });
    await server.prints('successfully started');
    const peer = await RawPeer.connect({ host: '127.0.0.1', port: devicesPort });
    peer.write('temperature 21.5\n');
    await expect(peer.sees('\n')).resolves.toBe('OK\n');
    await server.prints('temperature is 21.5');
    await peer.destroy();
    server.kill('SIGINT');
    expect(await server.ended).toMatchObject({ signal: 'SIGINT', stderr: '' });
  }, 30_000);

  it('run without Nest', async () => {
    const { code, stdout } = await project.run({ file: 'core.js' });
    expect({ code, stdout }).toEqual({ code: 0, stdout: page.outputs.get('core.js') });
  }, 30_000);

  it.each(['shutdown.js', 'safe-retry.js'])('load: %s', async (file) => {
    await expect(project.run({ file })).resolves.toMatchObject({ code: 0, stderr: '' });
  });
});

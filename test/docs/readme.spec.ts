// Prevents: a newcomer copies an example from the README that does not compile, or prints something
// else; a guide that nobody finds, because the README does not lead to it.
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../support/free-port.js';
import { Project } from '../support/project.js';
import { RawPeer } from '../support/raw-peer.js';
import { Page, problemsIn } from './page.js';

describe('where to go next from the README', () => {
  it.each([
    ['docs', (name: string) => name.endsWith('.md'), (name: string) => `docs/${name}`],
    [
      'sample',
      (name: string) => /^0[1-9]-/.test(name),
      (name: string) => `sample/${name}/README.md`,
    ],
  ])('is to everything in %s', async (folder, isMeant, pathOf) => {
    const readme = await readFile('README.md', 'utf8');
    const [, next] = readme.split('## Where next');
    const links = (next as string).matchAll(/\]\((.*?)\)/g);
    const linked = new Set(Array.from(links, ([, path]) => path));
    const paths = readdirSync(folder).filter(isMeant).map(pathOf);
    expect(paths.length).toBeGreaterThan(0);
    expect(paths.filter((path) => !linked.has(path))).toEqual([]);
  });
});

describe('the examples of the README', () => {
  let page: Page;
  let project: Project;
  let devicesPort: number;

  beforeAll(async () => {
    project = await Project.create();
    devicesPort = await freePort();
    page = await Page.read('README.md', { 4000: await freePort(), 4001: devicesPort });
    await page.addTo(project);
  });
  afterAll(() => project.remove());

  it('compile, all of them', async () => {
    expect([...page.files.keys()]).toEqual([
      'main.ts',
      'caller.ts',
      'device-converter.ts',
      'devices.ts',
    ]);
    expect(await problemsIn(project)).toBe('');
  }, 60_000);

  it('serve and call', async () => {
    const server = project.start({ file: 'main.js' });
    await server.prints('successfully started');
    const caller = await project.run({ file: 'caller.js' });
    expect(caller).toEqual({
      code: 0,
      signal: null,
      stdout: page.outputs.get('caller.ts'),
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
});

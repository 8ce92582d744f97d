// Prevents: a newcomer copies an example from the README that does not compile, or prints something else.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../support/free-port.js';
import { Project } from '../support/project.js';
import { RawPeer } from '../support/raw-peer.js';

interface Block {
  language: string;
  attribute: string;
  content: string;
}

/** The fenced code blocks of a page: language, the word behind it, content. */
function blocksOf(page: string): Block[] {
  return Array.from(page.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm), (match) => ({
    language: match[1] as string,
    attribute: match[2] as string,
    content: match[3] as string,
  }));
}

describe('the examples of the README', () => {
  const outputs = new Map<string, string>();
  const files = new Set<string>();
  let project: Project;
  let devicesPort: number;

  beforeAll(async () => {
    project = await Project.create();
    const appPort = await freePort();
    devicesPort = await freePort();
    const page = (await readFile('README.md', 'utf8'))
      .replaceAll('4000', `${appPort}`)
      .replaceAll('4001', `${devicesPort}`);
    for (const { language, attribute, content } of blocksOf(page)) {
      const [kind, name = ''] = attribute.split('=');
      if (language === 'ts') {
        expect(kind).toBe('file');
        expect(name).toMatch(/\.ts$/);
        files.add(name);
        await project.add(name, content);
      } else if (kind === 'output') {
        outputs.set(name.replace(/\.ts$/, '.js'), content);
      }
    }
  });
  afterAll(() => project.remove());

  it('compile, all of them', async () => {
    expect(files.size).toBeGreaterThan(7);
    await writeFile(
      join(project.folder, 'tsconfig.json'),
      JSON.stringify({ extends: '../../tsconfig.json', include: ['*.ts'], exclude: [] }),
    );
    const compiler = join(process.cwd(), 'node_modules', 'typescript', 'bin', 'tsc');
    const child = spawn(process.execPath, [compiler, '--project', project.folder]);
    let problems = '';
    child.stdout.on('data', (text: Buffer) => (problems += text.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect({ code, problems }).toEqual({ code: 0, problems: '' });
  }, 60_000);

  it('serve and call', async () => {
    const server = project.start({ file: 'main.js' });
    await server.prints('successfully started');
    const caller = await project.run({ file: 'caller.js' });
    expect(caller).toEqual({
      code: 0,
      signal: null,
      stdout: outputs.get('caller.js'),
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
    expect({ code, stdout }).toEqual({ code: 0, stdout: outputs.get('core.js') });
  }, 30_000);

  it.each(['shutdown.js', 'safe-retry.js'])('load: %s', async (file) => {
    await expect(project.run({ file })).resolves.toMatchObject({ code: 0, stderr: '' });
  });
});

// Prevents: somebody who has never seen Pike follows docs/start.md, and it does not start.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../support/free-port.js';
import { Project } from '../support/project.js';
import { TypedProgram } from '../support/typed-program.js';
import { compilerSays, Page } from './page.js';

/** Has the compiler find the package in its source, whose types are not built here. */
const CHECKED = {
  extends: './tsconfig.json',
  compilerOptions: {
    noEmit: true,
    rootDir: '../..',
    lib: ['ES2023'],
    paths: {
      'nestjs-pike': ['../../src/index.ts'],
      'nestjs-pike/*': ['../../src/*/index.ts'],
    },
  },
};

/** What the page uses of `nc -q 1 <host> <port>`. It stays for so many lines of replies, instead of a second. */
const NC = `#!/usr/bin/env node
const [, , host, port] = process.argv.slice(2);
const socket = require('node:net').connect({ host, port });
let left = Number(process.env.LINES);
process.stdin.pipe(socket, { end: false });
socket.on('data', (bytes) => {
  process.stdout.write(bytes);
  left -= bytes.toString('latin1').split('\\n').length - 1;
  if (left <= 0) socket.destroy();
});
`;

describe.each(['module', 'commonjs'])('docs/start.md, followed with "type": "%s"', (type) => {
  let page: Page;
  let project: Project;

  beforeAll(async () => {
    page = await Page.read('docs/start.md', { 4000: await freePort(), 4001: await freePort() });
    project = await Project.create();
    const { folder } = project;
    await mkdir(join(folder, 'src'));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type }));
    await writeFile(join(folder, 'tsconfig.json'), page.settings.get('tsconfig.json') ?? '');
    await writeFile(join(folder, 'checked.json'), JSON.stringify(CHECKED));
    for (const [name, code] of page.files) await writeFile(join(folder, 'src', name), code);
  });
  afterAll(() => project.remove());

  it('is compiled as the page says', async () => {
    const { folder } = project;
    expect(await compilerSays('--project', join(folder, 'checked.json'))).toBe('');
    expect(await compilerSays('--project', folder, '--noCheck')).toBe('');
    const server = await readFile(join(folder, 'dist/main.js'), 'utf8');
    expect(server.includes('require("nestjs-pike")')).toBe(type === 'commonjs');
  }, 60_000);

  it('serves, and is called', async () => {
    const server = project.start({ file: 'dist/main.js' });
    await server.prints('successfully started');
    const { code, stdout, stderr } = await project.run({ file: 'dist/caller.js' });
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: page.outputs.get('caller.ts'),
      stderr: '',
    });
    await server.prints('2 coffee delivered');
    server.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ signal: 'SIGTERM', stderr: '' });
  }, 30_000);

  it('serves the same in lines of text, which are typed', async () => {
    const server = project.start({ file: 'dist/lines.js' });
    await server.prints('successfully started');
    const bin = join(project.folder, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'package.json'), '{ "type": "commonjs" }');
    await writeFile(join(bin, 'nc'), NC);
    await chmod(join(bin, 'nc'), 0o755);
    const replies = page.outputs.get('talk.sh') ?? '';
    const talk = new TypedProgram(['bash', '-c', page.scripts.get('talk.sh') ?? ''], {
      folder: project.folder,
      env: {
        PATH: [bin, process.env['PATH']].join(delimiter),
        LINES: `${replies.trim().split('\n').length}`,
      },
    });
    expect(await talk.program.ended).toEqual({
      code: 0,
      signal: null,
      stdout: replies,
      stderr: '',
    });
    await server.prints('5 tea delivered');
    server.kill('SIGINT');
    expect(await server.ended).toMatchObject({ signal: 'SIGINT', stderr: '' });
  }, 30_000);
});

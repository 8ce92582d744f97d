// Prevents: a command that a reader copies from docs/command-line.md does something else than the page says.
import { chmod, cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EXIT_CODES } from '../../src/cli/failure.js';
import { freePort } from '../support/free-port.js';
import { Project } from '../support/project.js';
import type { Outcome, Program } from '../support/project.js';
import { TypedProgram } from '../support/typed-program.js';
import { Page, problemsIn } from './page.js';

const PATIENCE = 60_000;
const PATH = 'docs/command-line.md';
/** The scripts that listen, until they are stopped, and those that talk to them. */
const CONVERSATIONS = [
  ['listen.sh', 'talk.sh'],
  ['listen-lines.sh', 'own.sh'],
  ['receive.sh', 'send.sh'],
  ['tls.sh', 'tls-call.sh'],
] as const;

let page: Page;
let project: Project;
let server: Program;

beforeAll(async () => {
  page = await Page.read(PATH, { 4000: await freePort(), 4001: await freePort() });
  project = await Project.create();
  await page.addTo(project);
  await installCommands();
  for (const name of ['ca.pem', 'server.pem', 'server.key']) {
    await cp(join('test/fixtures/tls', name), join(project.folder, name));
  }
  server = project.start({ file: 'server.js' });
  await server.prints('successfully started');
}, PATIENCE);
afterAll(() => project.remove());

/** As npm does when it installs the package. */
async function installCommands(): Promise<void> {
  const modules = join(project.folder, 'node_modules');
  await chmod(join(modules, 'nestjs-pike/cli/main.js'), 0o755);
  await mkdir(join(modules, '.bin'));
  for (const name of ['pike', 'nestjs-pike']) {
    await symlink('../nestjs-pike/cli/main.js', join(modules, '.bin', name));
  }
}

function start(name: string): TypedProgram {
  const script = page.scripts.get(name);
  if (script === undefined) throw new Error(`There is no ${name} on the page.`);
  const path = [join(project.folder, 'node_modules/.bin'), process.env['PATH']].join(delimiter);
  // So that a signal reaches what listens, and not the shell that waits for it.
  const code = script.trim().replace('pike listen', 'exec pike listen');
  const started = new TypedProgram(['bash', '-c', code], {
    folder: project.folder,
    env: { PATH: path, NO_COLOR: '' },
  });
  started.endInput();
  return started;
}

function run(name: string): Promise<Outcome> {
  return start(name).program.ended;
}

/** What a program has printed, without the ports of peers, which the system chooses. */
function withoutPorts(text: string | undefined): string | undefined {
  return text?.replace(/from 127\.0\.0\.1:\d+/g, 'from HOST:PORT');
}

describe('the examples of docs/command-line.md', () => {
  it('compile, all of them', async () => {
    expect(await problemsIn(project)).toBe('');
  }, 60_000);

  it('are run, all of them', async () => {
    const text = await readFile(PATH, 'utf8');
    expect(text).not.toMatch(/^```sh$/m);
    expect(page.scripts.size).toBeGreaterThan(12);
  });

  it(
    'do what the page says',
    async () => {
      const conversing = new Set<string>(CONVERSATIONS.flat());
      for (const name of [...page.scripts.keys()].filter((each) => !conversing.has(each))) {
        const { code, stdout, stderr } = await run(name);
        const expected = page.outputs.get(name) ?? stdout;
        expect({ name, code, stdout, stderr }).toEqual({
          name,
          code: 0,
          stdout: expected,
          stderr: '',
        });
        expect(stdout).not.toBe('');
      }
      await server.prints('noted: lunch at noon');
      await server.prints('noted: tea');
    },
    PATIENCE,
  );

  it.each(CONVERSATIONS)(
    'listen with %s, and talk to it with %s, as the page says',
    async (listen, talk) => {
      const listening = start(listen);
      await listening.program.prints('listening on ');
      const { code, stdout, stderr } = await run(talk);
      expect({ code, stdout, stderr }).toEqual({
        code: 0,
        stdout: page.outputs.get(talk),
        stderr: '',
      });
      await listening.program.prints('disconnected');
      listening.program.kill('SIGINT');
      const outcome = await listening.program.ended;
      expect(outcome).toMatchObject({ code: 130, stderr: '' });
      const expected = page.outputs.get(listen) ?? outcome.stdout;
      expect(withoutPorts(outcome.stdout)).toBe(withoutPorts(expected));
    },
    PATIENCE,
  );
});

describe('the exit codes of docs/command-line.md', () => {
  it('are those of the program', async () => {
    const text = await readFile(PATH, 'utf8');
    const table = Array.from(text.matchAll(/^\| (\d) +\| /gm), ([, code]) => Number(code));
    expect(table).toEqual(Object.values(EXIT_CODES));
  });
});

// Prevents: everybody waits for Nest to be loaded, in order to be told a version, or to talk to a device.
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RawPeer } from '../support/raw-peer.js';
import { Project } from '../support/project.js';
import { TypedProgram } from '../support/typed-program.js';

const PATIENCE = 60_000;

/** A folder outside of the repository, in which there is this package, and nothing that it needs but commander. */
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nestjs-pike-alone-'));
  const project = await Project.create();
  await cp(join(project.folder, 'node_modules'), join(folder, 'node_modules'), { recursive: true });
  await cp('package.json', join(folder, 'package.json'));
  await mkdir(join(folder, 'node_modules', 'commander'));
  await cp('node_modules/commander', join(folder, 'node_modules', 'commander'), {
    recursive: true,
  });
  await project.remove();
});
afterAll(() => rm(folder, { recursive: true }));

const pike = (...args: string[]) =>
  new TypedProgram([process.execPath, 'node_modules/nestjs-pike/cli/main.js', ...args], { folder });

describe('without Nest', () => {
  it.each([
    ['--version', 0],
    ['--help', 0],
    ['call', 1],
  ])(
    'there is an answer to: pike %s',
    async (argument, code) => {
      const { ended } = pike(argument).program;
      const { stdout, stderr, ...outcome } = await ended;
      expect({ ...outcome, loadedNest: /@nestjs|ERR_MODULE/.test(stdout + stderr) }).toEqual({
        code,
        signal: null,
        loadedNest: false,
      });
    },
    PATIENCE,
  );

  it(
    'there are pike listen and pike connect',
    async () => {
      const listening = pike('listen', '127.0.0.1:0', '--reply', '"hello"');
      const [, port] = await listening.program.matches(/127\.0\.0\.1:(\d+)/);
      const talking = pike('connect', `127.0.0.1:${port}`);
      talking.type('greet\n');
      await talking.program.prints('#1 "hello"\n');
      talking.endInput();
      expect(await talking.program.ended).toMatchObject({ code: 0, stderr: '' });
      listening.program.kill('SIGTERM');
      expect(await listening.program.ended).toMatchObject({ code: 143, stderr: '' });
    },
    PATIENCE,
  );

  it(
    'and there is no pike call, so that this suite can fail',
    async () => {
      const listening = pike('listen', '127.0.0.1:0', '--converter', 'lines');
      const [, port] = await listening.program.matches(/127\.0\.0\.1:(\d+)/);
      const peer = await RawPeer.connect({ host: '127.0.0.1', port: Number(port) });
      const { code, stderr } = await pike('call', 'a', '--to', `127.0.0.1:${port}`).program.ended;
      expect({ code, stderr }).toEqual({
        code: 5,
        stderr: expect.stringMatching(
          /^ERR_MODULE_NOT_FOUND: .*@nestjs.* This command needs Nest: npm install /,
        ),
      });
      await peer.destroy();
      listening.program.kill('SIGTERM');
      await listening.program.ended;
    },
    PATIENCE,
  );
});

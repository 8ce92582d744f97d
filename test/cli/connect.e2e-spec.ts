// Prevents: a person who talks to a server cannot see what it answers, loses what was typed, or has a
// history that others can read.
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { start } from '../e2e/support.js';
import type { Running } from '../e2e/support.js';
import { RawListener } from '../support/raw-peer.js';
import { CommandLine, describeWithPython, done, failed } from './command-line.js';
import { AnyController, noticed } from './servers.js';

const PATIENCE = 60_000;
const TERMINAL = { terminal: { columns: 80 } };

let pike: CommandLine;
let running: Running;

beforeAll(async () => {
  pike = await CommandLine.create();
});
afterAll(() => pike.remove());
beforeEach(async () => {
  running = await start([AnyController]);
});
afterEach(() => running.close());

describe('pike connect, by a pipe', () => {
  it(
    'obeys every line, waits for the replies, and leaves',
    async () => {
      const noted = once(noticed, 'noted');
      const input = 'sum [1,2]\n\n.emit noted "tea"\n{"cmd": "greet"} "Ann"\n';
      const outcome = await pike.run(['connect', `127.0.0.1:${running.port}`], { input });
      expect(outcome).toEqual(done('#1 3\n#2 {"greeting":"Hello, Ann!"}\n'));
      expect(await noted).toEqual(['tea']);
    },
    PATIENCE,
  );

  it(
    'tells of lines that it cannot obey, and goes on',
    async () => {
      const input = '.dance\nsum [1\nrefuse\nsum [2]\n';
      const outcome = await pike.run(['connect', `127.0.0.1:${running.port}`], { input });
      expect(outcome).toEqual({
        ...done('#1 error {"status":"error","message":"not today"}\n#2 2\n'),
        stderr: expect.stringMatching(
          /^USAGE: There is no \.dance: .*\nUSAGE: The data must be JSON.*\[1\n$/,
        ),
      });
    },
    PATIENCE,
  );

  it(
    'does not wait for ever for a reply that does not come',
    async () => {
      const args = ['connect', `127.0.0.1:${running.port}`, '--timeout', '300'];
      expect(await pike.run(args, { input: 'never\nsum [1]\n' })).toEqual(done('#2 1\n'));
    },
    PATIENCE,
  );

  it(
    'ends with 5 when the server leaves, and with 2 when there is none',
    async () => {
      const listener = await RawListener.listen();
      const { port } = listener.address as { port: number };
      const talking = pike.start(['connect', `127.0.0.1:${port}`, '-c', 'lines']);
      const peer = await listener.accept();
      talking.type('hello\n');
      await peer.sees('hello\n');
      peer.write('bye\n');
      peer.end();
      expect(await talking.program.ended).toEqual(
        failed(5, 'PIKE_ERR_REMOTE_ENDED: The server has ended the connection.\n', '"bye"\n'),
      );
      await listener.close();
      expect(await pike.run(['connect', `127.0.0.1:${port}`])).toMatchObject({ code: 2 });
    },
    PATIENCE,
  );
});

describeWithPython('pike connect, in a terminal', () => {
  const talk = () => pike.start(['connect', `127.0.0.1:${running.port}`], TERMINAL);
  const WELCOME = () => `Connected to 127.0.0.1:${running.port}. .help shows what can be typed.`;

  it(
    'shows replies above what is being typed',
    async () => {
      const talking = talk();
      await talking.shows(WELCOME(), '>');
      talking.type('countdown 2\r');
      await talking.shows('> countdown 2', '#1 2', '#1 1', '>');
      talking.type('ticks\r');
      await talking.program.prints('#2');
      talking.type('sum [1');
      await talking.program.prints('sum [1');
      talking.type(',2]\r');
      await talking.program.matches(/#3.* 3/);
      // Ctrl-C ends what is under way, not the conversation.
      const tornDown = once(noticed, 'torn down');
      talking.type('\u0003');
      await tornDown;
      await talking.shows('cancelled: 1', '>');
      talking.type('.exit\r');
      expect(await talking.program.ended).toMatchObject({ code: 0, signal: null });
    },
    PATIENCE,
  );

  it(
    'has help, throws a line away on Ctrl-C, and leaves on Ctrl-D',
    async () => {
      const talking = talk();
      await talking.shows(WELCOME(), '>');
      talking.type('.help\r');
      await talking.program.prints('.emit <pattern> [data]');
      await talking.program.prints('Data is JSON');
      talking.type('nonsense\u0003sum [4]\r');
      await talking.shows('> sum [4]', '#1 4', '>');
      talking.type('\u0003');
      await talking.shows('(.exit or Ctrl-D leaves.)', '>');
      talking.type('\u0004');
      expect(await talking.program.ended).toMatchObject({ code: 0, signal: null });
    },
    PATIENCE,
  );

  it(
    'remembers what was typed the last time, for its owner alone',
    async () => {
      const env = { XDG_STATE_HOME: join(pike.project.folder, 'remembered') };
      const args = ['connect', `127.0.0.1:${running.port}`];
      const first = pike.start(args, { ...TERMINAL, env });
      await first.shows(WELCOME(), '>');
      first.type('sum [1]\rsum [20,3]\rsum [20,3]\r');
      await first.program.matches(/#3.* 23/);
      first.type('\u0004');
      await first.program.ended;
      const file = join(env.XDG_STATE_HOME, 'nestjs-pike', 'history');
      expect(await readFile(file, 'utf8')).toBe('sum [1]\nsum [20,3]\n');
      expect((await stat(file)).mode & 0o777).toBe(0o600);

      const second = pike.start(args, { ...TERMINAL, env });
      await second.shows(WELCOME(), '>');
      second.type('\u001b[A\u001b[A\r');
      await second.shows('> sum [1]', '#1 1', '>');
      second.type('\u0004');
      await second.program.ended;
    },
    PATIENCE,
  );

  it(
    'has colours, unless NO_COLOR is set',
    async () => {
      const args = ['connect', `127.0.0.1:${running.port}`];
      const BOLD = '\u001b[1m#1';
      const colours = async (NO_COLOR: string): Promise<boolean> => {
        const talking = pike.start(args, { ...TERMINAL, env: { NO_COLOR } });
        await talking.shows(WELCOME(), '>');
        talking.type('sum [1]\r');
        await talking.program.matches(/#1.* 1/);
        talking.type('\u0004');
        return (await talking.program.ended).stdout.includes(BOLD);
      };
      expect([await colours(''), await colours('1')]).toEqual([true, false]);
    },
    PATIENCE,
  );
});

import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { freePort } from '../support/free-port.js';
import { isInstalled, without } from '../support/other-programs.js';
import type { OtherProgram } from '../support/other-programs.js';
import { Program } from '../support/project.js';
import type { Outcome } from '../support/project.js';

/** Redis's own programs. */
const PROGRAMS: readonly OtherProgram[] = [
  { name: 'redis-server', install: 'redis-server' },
  { name: 'redis-cli', install: 'redis-tools' },
  { name: 'redis-benchmark', install: 'redis-tools' },
];

/** A suite that needs Redis's own programs. */
export function describeWithRedis(name: string, suite: () => void): void {
  const missing = PROGRAMS.find((program) => !isInstalled(program));
  if (missing === undefined) {
    describe(name, suite);
    return;
  }
  // A test of its own, since a suite without one fails, and a skipped one would, too.
  it(`${name}: is not run, for there is no ${missing.name}`, () => {
    const notice = without(missing, {
      mustRun: process.env['CI'] === 'true',
      untested: 'test/samples: sample/04-redis NOT TESTED against Redis',
    });
    process.stderr.write(`\n${notice}\n`);
    expect(notice).toContain('NOT TESTED');
  });
}

/** Starts `redis-cli`, which shows replies with their types. @param input what is piped into it */
export function startRedisCli(port: number, args: string[], input?: string | Buffer): Program {
  const child = spawn('redis-cli', ['-p', `${port}`, '--no-raw', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(input);
  return new Program(child);
}

/** Runs `redis-cli` to its end. @returns the lines that it has printed */
export async function redisCli(
  port: number,
  args: string[],
  input?: string | Buffer,
): Promise<string[]> {
  const { code, stdout, stderr } = await startRedisCli(port, args, input).ended;
  if (code !== 0 || stderr !== '') throw new Error(`redis-cli exited with ${code}: ${stderr}`);
  return stdout.split('\n').filter((line) => line !== '');
}

/** Runs `redis-benchmark` to its end. */
export function redisBenchmark(port: number, args: string[]): Promise<Outcome> {
  return new Program(
    spawn('redis-benchmark', ['-p', `${port}`, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }),
  ).ended;
}

/** A real Redis, which keeps nothing on disk. */
export async function startRedisServer(): Promise<{ port: number; program: Program }> {
  const port = await freePort();
  const options = { port: `${port}`, bind: '127.0.0.1', save: '', appendonly: 'no' };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const program = new Program(spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] }));
  await program.prints('Ready to accept connections');
  return { port, program };
}

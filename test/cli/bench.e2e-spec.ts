// Prevents: a measurement that counts requests which were not answered, or keeps fewer in flight than said.
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { start } from '../e2e/support.js';
import type { Running } from '../e2e/support.js';
import { CommandLine, done } from './command-line.js';
import { AnyController, noticed } from './servers.js';

const PATIENCE = 60_000;
const counted = { running: 0, most: 0, answered: 0 };

@Controller()
class CountingController {
  @MessagePattern('counted')
  async counted() {
    counted.most = Math.max(counted.most, ++counted.running);
    // As long as it takes for every lane of the load to get here.
    while (counted.most < 6) await new Promise((resolve) => setImmediate(resolve));
    counted.running--;
    counted.answered++;
    return 1;
  }
}

let pike: CommandLine;
let running: Running;

beforeAll(async () => {
  pike = await CommandLine.create();
});
afterAll(() => pike.remove());
beforeEach(async () => {
  running = await start([AnyController, CountingController]);
});
afterEach(() => running.close());

const bench = (...args: string[]) =>
  pike.run(['bench', ...args, '--to', `127.0.0.1:${running.port}`, '--seconds', '1']);

describe('pike bench', () => {
  it(
    'counts what was answered, with so many in flight on so many connections',
    async () => {
      const load = ['--connections', '2', '--in-flight', '3', '--json'];
      const { code, stdout, stderr } = await bench('counted', ...load);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const result = JSON.parse(stdout) as Record<string, number>;
      expect(result).toEqual({
        requests: counted.answered,
        errors: 0,
        seconds: expect.any(Number),
        requestsPerSecond: Math.round(counted.answered / (result['seconds'] as number)),
        p50: expect.any(Number),
        p99: expect.any(Number),
      });
      expect(counted.most).toBe(6);
      expect(result['p50']).toBeLessThanOrEqual(result['p99'] as number);
    },
    PATIENCE,
  );

  it(
    'prints a table for people',
    async () => {
      const outcome = await bench('sum', '[1,2]');
      expect(outcome).toEqual(done(outcome.stdout));
      expect(outcome.stdout).toMatch(
        /^requests\/s +\d+\np50 +\d+\.\d\d ms\np99 +\d+\.\d\d ms\nrequests +\d+ in \d+\.\d s\nerrors +0\n$/,
      );
    },
    PATIENCE,
  );

  it(
    'counts errors apart, and ends as a call that failed does',
    async () => {
      const { code, stdout, stderr } = await bench('refuse', '--json');
      expect({ code, stderr }).toEqual({
        code: 3,
        stderr: 'REMOTE_ERROR: {"status":"error","message":"not today"}\n',
      });
      const { requests, errors } = JSON.parse(stdout) as { requests: number; errors: number };
      expect(requests).toBe(0);
      expect(errors).toBeGreaterThan(0);
    },
    PATIENCE,
  );

  it(
    'waits for no reply after Ctrl-C',
    async () => {
      const args = ['bench', 'never', '--to', `127.0.0.1:${running.port}`, '--seconds', '60'];
      const arrived = once(noticed, 'never');
      const measuring = pike.start(args);
      await arrived;
      measuring.program.kill('SIGINT');
      expect(await measuring.program.ended).toMatchObject({ code: 130, stderr: '' });
    },
    PATIENCE,
  );
});

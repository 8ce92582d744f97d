// Prevents: a processing hook that is called twice or never, or one that fails and takes with it what
// it was only to watch.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { runHooked } from './processing.js';
import type { HandlerRun, ProcessingHooks } from './processing.js';

let calls: string[];
let end: () => void;
beforeEach(() => {
  calls = [];
  end = () => undefined;
});

const handler: HandlerRun = async (ended) => {
  calls.push('run');
  end = ended;
};
const process = (hooks: Partial<ProcessingHooks>, run = handler): Promise<void> =>
  runHooked(
    { start: (start) => start(), end: () => calls.push('end'), ...hooks },
    {
      run,
      failed: (thrown) => calls.push(`failed: ${String(thrown)}`),
      notRun: () => calls.push('not run'),
    },
    (thrown) => calls.push(`reported: ${String(thrown)}`),
  );

describe('processing hooks', () => {
  it('are called around what the handler sets off, the end once', async () => {
    await process({});
    expect(calls).toEqual(['run']);
    end();
    end();
    expect(calls).toEqual(['run', 'end']);
  });

  it.each<[string, ProcessingHooks['start']]>([
    ['calls back twice', (start) => Promise.all([start(), start()])],
    ['calls back later', (start) => void setImmediate(() => void start())],
  ])('run the handler once where the start hook %s', async (_, start) => {
    await process({ start });
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls.filter((call) => call === 'run')).toHaveLength(1);
  });

  it('tell of a start hook that fails when the handler has run', async () => {
    await process({
      start: async (run) => {
        await run();
        throw new Error('late');
      },
    });
    expect(calls).toEqual(['run', 'failed: Error: late']);
  });

  it('tell of a start hook that does not run the handler, and call no end hook', async () => {
    await process({ start: () => undefined });
    expect(calls).toEqual(['not run']);
  });

  it.each<[string, ProcessingHooks['start']]>([
    [
      'throws',
      () => {
        throw new Error('no span');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no span'))],
  ])('tell of a start hook that %s', async (_, start) => {
    await process({ start });
    expect(calls).toEqual(['failed: Error: no span', 'not run']);
  });

  it.each<[string, ProcessingHooks['end']]>([
    [
      'throws',
      () => {
        throw new Error('no end');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no end'))],
  ])('report an end hook that %s, and nothing else happens', async (_, failing) => {
    await process({ end: failing });
    end();
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toEqual(['run', 'reported: Error: no end']);
  });
});

/*
 * Prevents: a misspelt way to finish taken for another one, and messages lost by it.
 */
import { describe, expect, it } from '@jest/globals';
import type { Finish } from './finish.js';
import { readFinish, soonerWay } from './finish.js';

describe('readFinish', () => {
  it.each<[Finish, ReturnType<typeof readFinish>]>([
    [{ now: true }, { way: 'now', deadline: undefined }],
    [{ finishMessages: true }, { way: 'finishMessages', deadline: undefined }],
    [
      { finishQueues: true, deadline: 100 },
      { way: 'finishQueues', deadline: 100 },
    ],
    [
      { now: true, deadline: 0 },
      { way: 'now', deadline: 0 },
    ],
    [
      { finishQueues: true, deadline: undefined },
      { way: 'finishQueues', deadline: undefined },
    ],
    [
      { finishQueues: true, deadline: Number.POSITIVE_INFINITY },
      { way: 'finishQueues', deadline: Number.POSITIVE_INFINITY },
    ],
  ])('reads %j', (how, expected) => {
    expect(readFinish(how)).toEqual(expected);
  });

  it('takes the other ways as false', () => {
    const how = { now: false, finishMessages: false, finishQueues: true } as Finish;

    expect(readFinish(how).way).toBe('finishQueues');
  });

  it.each<unknown>([
    undefined,
    null,
    {},
    [],
    'now',
    true,
    { now: false },
    { now: 'true' },
    { now: true, finishMessages: true },
    { now: true, finishQueues: true, deadline: 5 },
    { finishQueue: true },
    { finishQueues: true, timeout: 5 },
    { finishQueues: true, deadline: -1 },
    { finishQueues: true, deadline: Number.NaN },
    { finishQueues: true, deadline: '100' },
    { finishQueues: true, deadline: null },
  ])('throws for %j', (how) => {
    expect(() => readFinish(how as Finish)).toThrow(
      expect.objectContaining({ code: 'PIKE_ERR_INVALID_FINISH' }),
    );
  });

  it('throws its own error even for what cannot be shown as JSON', () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;

    for (const how of [circular, { now: 1n }]) {
      expect(() => readFinish(how as Finish)).toThrow(
        expect.objectContaining({ code: 'PIKE_ERR_INVALID_FINISH' }),
      );
    }
  });
});

describe('soonerWay', () => {
  it('is the one that ends sooner, whatever the order', () => {
    expect(soonerWay('finishQueues', 'finishMessages')).toBe('finishMessages');
    expect(soonerWay('finishMessages', 'finishQueues')).toBe('finishMessages');
    expect(soonerWay('now', 'finishMessages')).toBe('now');
    expect(soonerWay('finishQueues', 'now')).toBe('now');
    expect(soonerWay('finishQueues', 'finishQueues')).toBe('finishQueues');
  });
});

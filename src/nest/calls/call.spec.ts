// Prevents: a request whose time is never over, over too early though replies come, or over again
// when it has been answered.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { IncomingReply } from '../packets/packets.js';
import { RequestCall } from './call.js';

describe('the time of a request', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  function timed(ms: number) {
    const replies: IncomingReply[] = [];
    const request = new RequestCall({ pattern: 'p' }, (reply) => replies.push(reply));
    const givenUp = jest.fn(() => 'in-doubt' as const);
    request.expireAfter(ms, givenUp);
    return { request, replies, givenUp };
  }

  it('is over when no reply has come', () => {
    const { request, replies, givenUp } = timed(100);
    jest.advanceTimersByTime(99);
    expect(replies).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(givenUp).toHaveBeenCalledTimes(1);
    expect(replies).toMatchObject([
      { err: { code: 'PIKE_ERR_REQUEST_TIMEOUT', delivery: 'in-doubt' }, isDisposed: true },
    ]);
    expect(request.wanted).toBe(false);
  });

  it('begins again with each reply but the last', () => {
    const { request, replies, givenUp } = timed(100);
    for (let value = 0; value < 5; value++) {
      jest.advanceTimersByTime(99);
      request.replied({ response: value }, false);
    }
    expect(replies).toHaveLength(5);
    jest.advanceTimersByTime(100);
    expect(givenUp).toHaveBeenCalledTimes(1);
    expect(replies).toHaveLength(6);
  });

  it.each<[end: string, by: (request: RequestCall<unknown>) => void]>([
    ['answered', (request) => request.replied({ response: 1, isDisposed: true }, true)],
    ['given up', (request) => request.abandon()],
    ['failed', (request) => request.reject(new Error('lost') as never)],
  ])('is not over once it is %s', (_, end) => {
    const { request, replies, givenUp } = timed(100);
    end(request);
    const { length } = replies;
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(1000);
    request.replied({ response: 'late' }, false);
    expect(givenUp).not.toHaveBeenCalled();
    expect(replies).toHaveLength(length);
  });
});

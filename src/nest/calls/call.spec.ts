// Prevents: a request whose time is never over, over too early though replies come, or over again
// when it has been answered.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RequestCall } from './call.js';

describe('the time of a request', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  function timed(ms: number) {
    const observer = { next: jest.fn(), error: jest.fn(), complete: jest.fn() };
    const request = new RequestCall({ pattern: 'p' }, observer);
    const giveUp = jest.fn(() => 'in-doubt' as const);
    request.owner = { giveUp };
    request.expireAfter(ms);
    return { request, observer, giveUp };
  }

  it('is over when no reply has come', () => {
    const { request, observer, giveUp } = timed(100);
    jest.advanceTimersByTime(99);
    expect(observer.error).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(giveUp).toHaveBeenCalledTimes(1);
    expect(observer.error.mock.calls).toEqual([
      [expect.objectContaining({ code: 'PIKE_ERR_REQUEST_TIMEOUT', delivery: 'in-doubt' })],
    ]);
    expect(observer.next).not.toHaveBeenCalled();
    expect(observer.complete).not.toHaveBeenCalled();
    expect(request.wanted).toBe(false);
  });

  it('begins again with each reply but the last', () => {
    const { request, observer, giveUp } = timed(100);
    for (let value = 0; value < 5; value++) {
      jest.advanceTimersByTime(99);
      request.replied({ response: value }, false);
    }
    expect(observer.next.mock.calls).toEqual([[0], [1], [2], [3], [4]]);
    jest.advanceTimersByTime(100);
    expect(giveUp).toHaveBeenCalledTimes(1);
    expect(observer.next).toHaveBeenCalledTimes(5);
    expect(observer.error).toHaveBeenCalledTimes(1);
  });

  it.each<[end: string, givenUp: number, by: (request: RequestCall<unknown>) => void]>([
    ['answered', 0, (request) => request.replied({ response: 1, isDisposed: true }, true)],
    ['given up', 1, (request) => request.unsubscribe()],
    ['failed', 0, (request) => request.reject(new Error('lost') as never)],
  ])('is not over once it is %s', (_, givenUp, end) => {
    const { request, observer, giveUp } = timed(100);
    end(request);
    expect(giveUp).toHaveBeenCalledTimes(givenUp);
    expect(jest.getTimerCount()).toBe(0);
    const told = Object.values(observer).map(({ mock }) => mock.calls.length);
    jest.advanceTimersByTime(1000);
    request.replied({ response: 'late' }, false);
    request.unsubscribe();
    expect(giveUp).toHaveBeenCalledTimes(givenUp);
    expect(Object.values(observer).map(({ mock }) => mock.calls.length)).toEqual(told);
  });
});

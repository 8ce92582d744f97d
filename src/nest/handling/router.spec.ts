// Prevents: peers that choose the patterns making the server remember without bound, look long for
// what nobody has, or find a handler that was replaced.
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { MessageHandler } from '@nestjs/microservices';
import { collectGarbage } from '../../../test/support/garbage.js';
import { Router } from './router.js';

const handlers = new Map<string, MessageHandler>();
let looked: string[];
let router: Router;
beforeEach(() => {
  handlers.clear();
  looked = [];
  router = new Router((pattern) => {
    looked.push(pattern);
    return handlers.get(pattern) ?? null;
  });
});

const handle = (pattern: string): MessageHandler => {
  const handler = async () => pattern;
  handlers.set(pattern, handler);
  return handler;
};

describe('the router', () => {
  it('looks a handler up once', () => {
    const handler = handle('sum');
    for (let i = 0; i < 3; i++) expect(router.find('sum')).toBe(handler);
    expect(looked).toEqual(['sum']);
  });

  it('forgets when a handler is added', () => {
    handle('sum');
    router.find('sum');
    const other = handle('sum');

    router.clear();

    expect(router.find('sum')).toBe(other);
  });

  it('does not remember that a pattern is unknown: it would push out the known ones', () => {
    expect([router.find('later'), router.find('later')]).toEqual([null, null]);
    const handler = handle('later');
    expect(router.find('later')).toBe(handler);
    expect(looked).toHaveLength(3);
  });

  it('does not even look for a pattern of more than 4096 characters', () => {
    const [longest, longer] = ['x'.repeat(4096), 'x'.repeat(4097)];
    const handler = handle(longest);
    handle(longer);
    expect(router.find(longest)).toBe(handler);
    expect(router.find(longer)).toBeNull();
    expect(looked).toEqual([longest]);
  });

  it('remembers a bounded number of patterns, which many spellings of one may be', () => {
    router = new Router((pattern) => {
      looked.push(pattern);
      return async () => 'any';
    });
    for (let i = 0; i < 10_000; i++) router.find(`{"n":${i}}`);
    looked.length = 0;
    for (let i = 0; i < 10_000; i++) router.find(`{"n":${i}}`);
    expect(looked.length).toBeGreaterThan(8_000);
  });

  it('does not hold on to the message that a pattern was cut out of', () => {
    const ANY: MessageHandler = async () => 'any';
    router = new Router(() => ANY);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 200; i++) {
      const message = `${i}`.padStart(200, '0') + 'x'.repeat(500_000);
      router.find(message.slice(0, 200));
    }
    collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
  });
});

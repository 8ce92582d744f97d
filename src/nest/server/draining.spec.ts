// Prevents: a server that closes forgets a step, does one before its time, or takes longer than it may.
import { describe, expect, it } from '@jest/globals';
import type { Finish } from '../../core/finish.js';
import { drain, LAST_EVENTS_MS } from './draining.js';
import type { Drainable } from './draining.js';

/** Notes what it is told, and takes as long over each wait as it is told to. */
class NotingServer implements Drainable {
  readonly steps: string[] = [];
  readonly waits: number[] = [];
  how: Finish | undefined;
  readonly #handlersTake: number;

  constructor(handlersTake = 0) {
    this.#handlersTake = handlersTake;
  }

  async refuse() {
    this.steps.push('refuse');
  }

  async handlersIdle(ms: number) {
    this.waits.push(ms);
    const until = performance.now() + Math.min(ms, this.#handlersTake);
    while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
    this.steps.push('handlers idle');
  }

  interrupt(tell: boolean) {
    this.steps.push(tell ? 'interrupt and tell' : 'interrupt');
  }

  async serialized(ms: number) {
    this.waits.push(ms);
    this.steps.push('serialized');
  }

  async endConnections(how: Finish) {
    this.how = how;
    this.steps.push('end connections');
  }

  async lastEventsHandled(ms: number) {
    this.waits.push(ms);
    this.steps.push('last events handled');
  }
}

describe('draining', () => {
  it.each(['finishQueues', 'finishMessages'] as const)(
    'by %s waits for handlers before it ends anything',
    async (mode) => {
      const server = new NotingServer();
      await drain(server, { mode, deadline: 60_000 });
      expect(server.steps).toEqual([
        'refuse',
        'handlers idle',
        'interrupt and tell',
        'serialized',
        'end connections',
        'last events handled',
      ]);
      expect(server.how).toEqual({ [mode]: true, deadline: expect.any(Number) });
    },
  );

  it('by now waits for no handler of messages, but for those of the last events', async () => {
    const server = new NotingServer();
    await drain(server, { mode: 'now', deadline: 60_000 });
    expect(server.steps).toEqual(['refuse', 'interrupt', 'end connections', 'last events handled']);
    expect(server.waits).toEqual([LAST_EVENTS_MS]);
  });

  it('gives every step what is left of the deadline', async () => {
    const server = new NotingServer(50);
    await drain(server, { mode: 'finishQueues', deadline: 60_000 });
    const [handlers, serializers, lastEvents] = server.waits as [number, number, number];
    expect(handlers).toBeLessThanOrEqual(60_000);
    expect(serializers).toBeLessThan(handlers);
    expect(server.how?.deadline).toBeLessThanOrEqual(serializers);
    expect(lastEvents).toBeLessThanOrEqual(server.how?.deadline as number);
  });

  it('leaves nothing for the connections when handlers have taken it all, but time for the last events', async () => {
    const server = new NotingServer(Infinity);
    await drain(server, { mode: 'finishQueues', deadline: 20 });
    expect(server.how).toEqual({ finishQueues: true, deadline: 0 });
    expect(server.waits.at(-1)).toBe(LAST_EVENTS_MS);
  });
});

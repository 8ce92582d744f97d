/*
 * Prevents: a socket read although something stands against it, or never read again when nothing
 * does any more.
 */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ReadingGate } from './reading-gate.js';

const calls: string[] = [];
const socket = { pause: () => calls.push('pause'), resume: () => calls.push('resume') };
beforeEach(() => {
  calls.length = 0;
});

describe('ReadingGate', () => {
  it('begins closed, and opens when the connection does', () => {
    const gate = new ReadingGate({ socket });
    expect(calls).toEqual([]);

    gate.goOn('notOpen');

    expect(calls).toEqual(['resume']);
  });

  it('opens only when nothing stands against it, whatever the order', () => {
    const gate = new ReadingGate({ socket });
    gate.stop('backlog');
    gate.goOn('notOpen');
    gate.stop('deserializerWaits');
    gate.goOn('backlog');
    expect(calls).not.toContain('resume');

    gate.goOn('deserializerWaits');

    expect(calls.filter((call) => call === 'resume')).toHaveLength(1);
    expect(calls.at(-1)).toBe('resume');
  });

  it('does not resume a socket that nothing had stopped', () => {
    const gate = new ReadingGate({ socket });
    gate.goOn('backlog');
    gate.goOn('notOpen');
    gate.goOn('backlog');

    expect(calls).toEqual(['resume']);
  });

  it('once open for good, is never closed again', () => {
    const gate = new ReadingGate({ socket });
    gate.stop('backlog');
    calls.length = 0;

    gate.openForGood();
    gate.stop('backlog');
    gate.stop('deserializerWaits');

    expect(calls).toEqual(['resume']);
  });

  it('does without a socket, as before connecting and after closing', () => {
    const gate = new ReadingGate({ socket: undefined });

    expect(() => {
      gate.stop('backlog');
      gate.goOn('notOpen');
      gate.openForGood();
    }).not.toThrow();
  });
});

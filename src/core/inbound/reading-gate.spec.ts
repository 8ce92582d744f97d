/*
 * Prevents: a socket read although something stands against it, or never read again when nothing
 * does any more.
 */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ReadingGate } from './reading-gate.js';

const BITS = { notOpen: 1, deserializerWaits: 2, backlog: 4 };

const calls: string[] = [];
const socket = { pause: () => calls.push('pause'), resume: () => calls.push('resume') };
const closedGate = () => new ReadingGate({ socket }, BITS, 'notOpen');
beforeEach(() => {
  calls.length = 0;
});

describe('ReadingGate', () => {
  it('begins closed, and opens when the connection does', () => {
    const gate = closedGate();
    expect(calls).toEqual([]);

    gate.goOn('notOpen');

    expect(calls).toEqual(['resume']);
  });

  it('opens only when nothing stands against it, whatever the order', () => {
    const gate = closedGate();
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
    const gate = closedGate();
    gate.goOn('backlog');
    gate.goOn('notOpen');
    gate.goOn('backlog');

    expect(calls).toEqual(['resume']);
  });

  it('may begin open', () => {
    const gate = new ReadingGate({ socket }, BITS);
    expect(gate.isOpen).toBe(true);

    gate.stop('backlog');
    gate.goOn('backlog');

    expect(calls).toEqual(['pause', 'resume']);
  });

  it('once open for good, is never closed again', () => {
    const gate = closedGate();
    gate.stop('backlog');
    calls.length = 0;

    gate.openForGood();
    gate.stop('backlog');
    gate.stop('deserializerWaits');

    expect(calls).toEqual(['resume']);
  });

  it('does without a socket, as before connecting and after closing', () => {
    const gate = new ReadingGate({ socket: undefined }, BITS, 'notOpen');

    expect(() => {
      gate.stop('backlog');
      gate.goOn('notOpen');
      gate.openForGood();
    }).not.toThrow();
  });
});

// Prevents: somebody who waits for a decision that never comes to him, and a peer that is let in
// after it was refused.
import { describe, expect, it } from '@jest/globals';
import { Acceptance } from './acceptance.js';

describe('Acceptance', () => {
  it.each([true, false])('tells all who asked before, and all who ask later: %s', async (value) => {
    const acceptance = new Acceptance({ accept: () => {} });
    const early = [acceptance.accepted, acceptance.accepted];

    acceptance.decide(value);

    expect(await Promise.all([...early, acceptance.accepted])).toEqual([value, value, value]);
  });

  it('can be asked for the first time when it is decided', async () => {
    const acceptance = new Acceptance({ accept: () => {} });
    acceptance.decide(true);

    expect(await acceptance.accepted).toBe(true);
  });

  it('opens the connection as it is told to', () => {
    const opened: boolean[] = [];
    const host = { accept: (separate: boolean) => void opened.push(separate) };

    expect(new Acceptance(host).finishAccept(true)).toBe(true);
    expect(new Acceptance(host).finishAccept(false)).toBe(true);
    expect(opened).toEqual([true, false]);
  });

  it('opens nothing when it is decided already', async () => {
    const acceptance = new Acceptance({
      accept: () => {
        throw new Error('opened');
      },
    });
    acceptance.decide(false);

    expect(acceptance.finishAccept(false)).toBe(false);
    expect(await acceptance.accepted).toBe(false);
  });
});

// Prevents: a message told as unsent of which the peer has got bytes, or as sent of which it has got none.
import { describe, expect, it } from '@jest/globals';
import { WriteProgress } from './write-progress.js';

/** What the system says that it has accepted is set by the test. */
function follow(): { progress: WriteProgress; system: { accepted: number | undefined } } {
  const system: { accepted: number | undefined } = { accepted: 0 };
  return { progress: new WriteProgress(() => system.accepted), system };
}

describe('WriteProgress', () => {
  it('knows to the byte how much of the chunk in flight is accepted', () => {
    const { progress, system } = follow();
    progress.begin();
    system.accepted = 10;
    expect(progress.written(10)).toBe(true);
    progress.confirm(10);

    progress.begin();
    system.accepted = 13;
    expect(progress.written(10)).toBe(false);
    expect(progress.accepted).toEqual({ exact: 3 });

    system.accepted = 18;
    expect(progress.accepted).toEqual({ exact: 8 });
    expect(progress.total).toBe(18);
  });

  it('knows a lower bound once a write has failed', () => {
    const { progress, system } = follow();
    progress.begin();
    system.accepted = 4;
    progress.written(10);

    system.accepted = undefined;

    expect(progress.accepted).toEqual({ atLeast: 4 });
  });

  it('knows that nothing is accepted of what is refused at once', () => {
    const { progress, system } = follow();
    progress.begin();
    system.accepted = undefined;

    expect(progress.written(10)).toBe(false);
    expect(progress.accepted).toEqual({ exact: 0 });
  });

  it('claims nothing of a system that never says: TLS', () => {
    const { progress, system } = follow();
    system.accepted = undefined;
    progress.begin();

    expect(progress.written(10)).toBe(false);
    expect(progress.accepted).toEqual({ atLeast: 0 });
    progress.confirm(10);
    expect(progress.total).toBe(10);
  });
});

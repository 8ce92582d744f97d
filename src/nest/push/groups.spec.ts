// Prevents: a connection that has left, or is gone, still receives what is said in its groups, and
// groups that nobody is in any more pile up.
import { describe, expect, it } from '@jest/globals';
import { Groups } from './groups.js';

const membersOf = (groups: Groups<string>, name: string): string[] => [...groups.membersOf(name)];

describe('groups', () => {
  it('have the members that have joined, each once', () => {
    const groups = new Groups<string>();
    groups.join('ann', 'chess');
    groups.join('bob', 'chess');
    groups.join('ann', 'chess');
    groups.join('ann', 'go');
    expect(membersOf(groups, 'chess')).toEqual(['ann', 'bob']);
    expect(membersOf(groups, 'go')).toEqual(['ann']);
    expect(membersOf(groups, 'bridge')).toEqual([]);
  });

  it('are left one by one, and say whether there was somebody to leave', () => {
    const groups = new Groups<string>();
    groups.join('ann', 'chess');
    groups.join('ann', 'go');
    expect(groups.leave('ann', 'chess')).toBe(true);
    expect(groups.leave('ann', 'chess')).toBe(false);
    expect(groups.leave('bob', 'go')).toBe(false);
    expect(membersOf(groups, 'chess')).toEqual([]);
    expect(membersOf(groups, 'go')).toEqual(['ann']);
  });

  it('are all left by who is gone, and vanish with their last member', () => {
    const groups = new Groups<string>();
    for (const name of ['chess', 'go', 'bridge']) groups.join('ann', name);
    groups.join('bob', 'go');
    groups.leaveAll('ann');
    groups.leaveAll('nobody');
    expect(groups.size).toBe(1);
    groups.leave('bob', 'go');
    expect(groups.size).toBe(0);
  });

  it.each(['', '__proto__', 'constructor', 'x'.repeat(100_000)])('may be called %p', (name) => {
    const groups = new Groups<string>();
    groups.join('ann', name);
    expect(membersOf(groups, name)).toEqual(['ann']);
  });

  it.each([undefined, null, 7, { tenant: 1 }, ['a']])('may not be called %p', (name) => {
    const groups = new Groups<string>();
    expect(() => groups.join('ann', name as never)).toThrow(
      expect.objectContaining({ code: 'PIKE_ERR_INVALID_OPTION' }),
    );
    expect(groups.size).toBe(0);
  });
});

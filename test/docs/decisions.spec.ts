// Prevents: a decision that nobody finds, because the list of them does not name it, or by another title.
import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../docs/adr/', import.meta.url);
const textOf = (file: string): string => readFileSync(new URL(file, FOLDER), 'utf8');

describe('the list of decisions', () => {
  it('names each of them, in order, by its title', () => {
    const decisions = readdirSync(FOLDER)
      .filter((file) => /^\d{4}-/.test(file))
      .sort();
    const expected = decisions.map((file) => {
      const [, title] = /^# \d+\. (.+)$/m.exec(textOf(file)) ?? [];
      return `- [${file.slice(0, 4)}](${file}) ${title}`;
    });

    const listed = textOf('README.md')
      .split('\n')
      .filter((line) => line.startsWith('- '));

    expect(decisions.length).toBeGreaterThan(0);
    expect(listed).toEqual(expected);
  });
});

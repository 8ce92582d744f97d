// Prevents: a guide is written, and stands nowhere on the site (that the README leads to it, see readme.spec.ts).
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const guides = readdirSync('docs').filter((name) => name.endsWith('.md'));

describe.each(guides)('docs/%s', (name) => {
  it('has its place among the guides of the site', () => {
    const { projectDocuments } = JSON.parse(readFileSync('typedoc.json', 'utf8')) as {
      projectDocuments: string[];
    };
    expect(projectDocuments).toContain(`docs/${name}`);
  });
});

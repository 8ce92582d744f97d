// Prevents: a guide is written, and neither the README nor the site leads to it.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const guides = readdirSync('docs').filter((name) => name.endsWith('.md'));

describe.each(guides)('docs/%s', (name) => {
  it('is what the README leads to', () => {
    expect(readFileSync('README.md', 'utf8')).toContain(`](docs/${name})`);
  });

  it('has its place among the guides of the site', () => {
    const { projectDocuments } = JSON.parse(readFileSync('typedoc.json', 'utf8')) as {
      projectDocuments: string[];
    };
    expect(projectDocuments).toContain(`docs/${name}`);
  });
});

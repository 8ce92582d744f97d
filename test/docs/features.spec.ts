// Prevents: a feature that is said to be there, of which no test knows.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const PAGE = await readFile('docs/features.md', 'utf8');
const COLUMNS = ['Pike', 'TCP', 'Redis', 'NATS', 'MQTT', 'RabbitMQ', 'Kafka', 'gRPC'];

interface Link {
  file: string;
  title: string;
}

/** The rows of all tables, their headings among them: the cells of each. */
const ROWS = Array.from(PAGE.matchAll(/^\|(.*)\|$/gm), ([, cells]) =>
  (cells as string).split('|').map((cell) => cell.trim()),
).filter(([, first]) => !/^-+$/.test(first as string));
const FEATURES = ROWS.filter(([name]) => name !== '');

/** The links of a text that name a test, as `[yes](../test/file.ts 'title of the test')`. */
function linksIn(text: string): Link[] {
  return Array.from(text.matchAll(/\]\(\.\.\/(\S+) (['"])(.+?)\2\)/g), ([, file, , title]) => ({
    file: file as string,
    title: title as string,
  }));
}

/** Whether a test file has a test, or a suite, of exactly this title. */
function hasTest(source: string, title: string): boolean {
  return [`'${title}',`, `"${title}",`, `\`${title}\`,`].some((literal) =>
    source.includes(literal),
  );
}

/** What a cell says, without marks and links. */
function plain(cell: string): string {
  return cell
    .replace(/\[\^\w+\]/g, '')
    .replace(/^\[(.*?)\]\(.*\)$/, '$1')
    .replace(/^\*\*(.*)\*\*$/, '$1');
}

function rowsIn(page: string): string[][] {
  return Array.from(page.matchAll(/^\|(.*)\|$/gm), ([, cells]) =>
    (cells as string).split('|').map((cell) => plain(cell.trim())),
  );
}

describe('the short table of the README', () => {
  it('says what the long one says, of the same transports', async () => {
    const readme = await readFile('README.md', 'utf8');
    const section = readme.split(/^## /m).find((text) => text.startsWith('Beside Nest'));
    const [headings, , ...rows] = rowsIn(section as string);
    expect(headings).toEqual(['', ...COLUMNS]);
    const features = new Map(rowsIn(PAGE).map(([name, ...cells]) => [name?.toLowerCase(), cells]));
    expect(rows.length).toBeGreaterThan(8);
    for (const [name, ...cells] of rows) {
      // Where a feature needs it, the README says of which section it is.
      const feature = name?.replace(/^Shutting down: /, '').toLowerCase();
      expect([name, cells]).toEqual([name, features.get(feature)]);
    }
  });
});

describe('the table of features', () => {
  it('compares the same transports everywhere, and leaves no cell empty', () => {
    const headings = ROWS.filter(([name]) => name === '');
    expect(headings.length).toBeGreaterThan(5);
    for (const [, ...columns] of headings) expect(columns).toEqual(COLUMNS);
    expect(FEATURES.length).toBeGreaterThan(40);
    for (const cells of FEATURES) {
      expect(cells).toHaveLength(1 + COLUMNS.length);
      expect([cells[0], cells.filter((cell) => cell === '')]).toEqual([cells[0], []]);
    }
  });

  it('shows each feature of ours by a test', () => {
    for (const [name, ours] of FEATURES) {
      expect([name, linksIn(ours as string).length]).toEqual([name, 1]);
    }
  });

  it.each(linksIn(PAGE))('is right about $file: $title', async ({ file, title }) => {
    expect(file).toMatch(/^(test|src)\/.*(\.spec|\.e2e-spec|\.contract)\.ts$/);
    const path = join(process.cwd(), file);
    expect(existsSync(path)).toBe(true);
    expect(hasTest(await readFile(path, 'utf8'), title)).toBe(true);
  });

  it('explains what it marks, and nothing else', () => {
    const marked = Array.from(PAGE.matchAll(/\[\^(\w+)\](?!:)/g), ([, note]) => note);
    const explained = Array.from(PAGE.matchAll(/^\[\^(\w+)\]:/gm), ([, note]) => note);
    expect(new Set(marked)).toEqual(new Set(explained));
    expect(explained).toHaveLength(new Set(explained).size);
  });
});

// Prevents: somebody looks for what docs/how-a-message-travels.md names, and it is elsewhere, or not there at all.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as pike from 'nestjs-pike';
import { NEXT_STATES } from '../../src/core/connection-state.js';
import { NET_LIMITS } from '../../src/core/net/net-options.js';
import { LIMITS } from '../../src/core/options.js';
import { OutboundQueue } from '../../src/core/outbound/outbound-queue.js';
import { CLIENT_LIMITS } from '../../src/nest/client/client-options.js';
import { HANDLING_LIMITS } from '../../src/nest/handling/handling-options.js';
import { SESSION_LIMITS } from '../../src/nest/session/session-settings.js';

const PAGE = await readFile('docs/how-a-message-travels.md', 'utf8');
const DIAGRAM = await readFile('docs/how-a-message-travels.svg', 'utf8');

function matches(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, found]) => found as string);
}

/** The texts in backticks. */
function named(text: string | undefined): string[] {
  return matches(text ?? '', /`([^`]+)`/g);
}

/** The rows of the table whose first column has this heading: their cells. */
function rowsUnder(heading: string): string[][] {
  const table = PAGE.split(/\n\n/).find((text) => text.startsWith(`| ${heading} `));
  if (table === undefined) throw new Error(`There is no table of "${heading}".`);
  const rows = table.trim().split('\n').slice(2);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** What the first cells name, with the files that the rows name. */
function filesByName(heading: string): [name: string, files: string[]][] {
  return rowsUnder(heading).flatMap(([first, ...rest]) =>
    named(first).map((name): [string, string[]] => [
      name,
      named(rest.join(' ')).filter((text) => text.startsWith('src/')),
    ]),
  );
}

/** The texts that a type of this name is a union of. */
async function unionIn(file: string, name: string): Promise<string[]> {
  const source = await readFile(file, 'utf8');
  return matches(source.match(new RegExp(`type ${name} =([^;]*);`))?.[1] ?? '', /'(\w+)'/g);
}

describe('the files of docs/how-a-message-travels.md', () => {
  it('are there, and are called as their links say', () => {
    const links = Array.from(PAGE.matchAll(/\[`([^`]+)`\]\(\.\.\/([^)]+)\)/g));
    expect(links.length).toBeGreaterThan(40);
    for (const [, name, file] of links) {
      expect({ file, exists: existsSync(file!) }).toEqual({ file, exists: true });
      expect(`${file!.replace(/\.ts$/, '')} ${file}`).toContain(name);
    }
  });

  it('are there, those of the diagram too', () => {
    const groups = Array.from(DIAGRAM.matchAll(/data-folder="([^"]+)">([\s\S]*?)<\/g>/g));
    const files = groups.flatMap(([, folder, group]) =>
      matches(group!, /class="file">([^<]+)</g).map((file) => join(folder!, file)),
    );
    expect(files).toHaveLength(matches(DIAGRAM, /class="(file)">/g).length);
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
    expect(files.length).toBeGreaterThan(20);
  });
});

describe('the limits of docs/how-a-message-travels.md', () => {
  it('are all that there are, but for those of reconnecting and of shutting down', () => {
    const coded = Object.keys({
      ...LIMITS,
      ...NET_LIMITS,
      ...CLIENT_LIMITS,
      ...SESSION_LIMITS,
      ...HANDLING_LIMITS,
    });
    expect(
      rowsUnder('limit')
        .flatMap(([first]) => named(first))
        .toSorted(),
    ).toEqual(coded.toSorted());
  });

  it.each(filesByName('limit'))('include %s, which is in %j', async (name, files) => {
    expect(files).not.toEqual([]);
    for (const file of files) expect(await readFile(file, 'utf8')).toContain(name);
  });
});

describe('what keeps a socket from being read, in docs/how-a-message-travels.md', () => {
  it('is what does in the code, where it does', async () => {
    const inbox = 'src/core/inbound/inbox.ts';
    const session = 'src/nest/session/session.ts';
    const reasons = (await readFile(session, 'utf8')).match(/const NOT_READING = \{(.*)\}/)?.[1];
    expect(filesByName('not read because of')).toEqual([
      ...(await unionIn(inbox, 'NotReadingReason')).map((reason) => [reason, [inbox]]),
      ...matches(reasons ?? '', /(\w+):/g).map((reason) => [reason, [session]]),
    ]);
  });
});

describe('the fates of docs/how-a-message-travels.md', () => {
  it('are those that are accounted for', async () => {
    const { given, ...fates } = new OutboundQueue().account;
    expect(given).toBe(0);
    expect(rowsUnder('fate').flatMap(([first]) => named(first))).toEqual(Object.keys(fates));
    for (const [name, files] of filesByName('fate')) {
      for (const file of files) expect(await readFile(file, 'utf8')).toContain(name);
    }
  });
});

describe('the states of docs/how-a-message-travels.md', () => {
  it('are those of a connection, and follow each other likewise', () => {
    const rows = rowsUnder('state').map(([state, , next]) => [named(state)[0], named(next)]);
    expect(rows).toEqual(Object.entries(NEXT_STATES));
  });

  it('are those of a session, and of a client', async () => {
    const paragraphs = PAGE.split(/\n\n/);
    const states = paragraphs.find((text) => text.startsWith('The packets of a connection'));
    const words = named(states?.replaceAll(/\[`[^\]]*\]/g, '')).filter((word) =>
      /^\w+$/.test(word),
    );
    expect(words).toEqual([
      ...(await unionIn('src/nest/session/session.ts', 'SessionState')),
      ...(await unionIn('src/nest/client/client-connection.ts', 'State')),
    ]);
  });
});

describe('the events of docs/how-a-message-travels.md', () => {
  const rows = rowsUnder('event').map((cells) => cells.map((cell) => named(cell)));

  it('are all six', async () => {
    const source = await readFile('src/core/events.ts', 'utf8');
    const types = matches(source, /readonly type(?: =|:) '(\w+)'/g);
    expect(types).toHaveLength(6);
    expect(rows.flatMap(([type = []]) => type).toSorted()).toEqual(types.toSorted());
  });

  it('have what the page says, and the decorators that it says', async () => {
    for (const [[type = ''] = [], , accessors = [], decorators = []] of rows) {
      const name = `${type[0]?.toUpperCase()}${type.slice(1)}Event`;
      const made = Reflect.construct(Reflect.get(pike, name) as new () => object, [{}, {}]);
      for (const accessor of accessors) expect(accessor.replace('()', '') in made).toBe(true);
      for (const decorator of decorators.filter((each) => each.startsWith('@On'))) {
        expect(pike).toHaveProperty(decorator.slice(1, -2));
      }
    }
  });
});

// Prevents: a limit that nobody can look up, or that the page states otherwise than the code has it.
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { NetConnector, PIKE_ERRORS } from 'nestjs-pike/core';
import { NET_LIMITS } from '../../src/core/net/net-options.js';
import { LIMITS } from '../../src/core/options.js';
import { CLIENT_LIMITS } from '../../src/nest/client/client-options.js';
import { RECONNECT_LIMITS } from '../../src/nest/dialling/reconnect-options.js';
import { SESSION_LIMITS } from '../../src/nest/session/session-settings.js';
import { HANDLING_LIMITS } from '../../src/nest/handling/handling-options.js';
import { readShutdownOptions } from '../../src/nest/shutdown-options.js';
import { LineConverter } from '../support/line-converter.js';

interface Row {
  name: string;
  unit: string;
  default: string;
  beyond: string;
}

const PAGE = await readFile('docs/limits.md', 'utf8');

/** The rows of the table in the section whose heading ends so. */
function rowsOf(heading: string): Row[] {
  const section = PAGE.split(/^## /m).find((text) => text.split('\n')[0]?.endsWith(heading));
  if (section === undefined) throw new Error(`docs/limits.md has no section "${heading}".`);
  return Array.from(
    section.matchAll(/^\| *`([\w.]+)` *\| *(.*?) *\| *(.*?) *\| *(.*?) *\|$/gm),
    ([, name, unit, standard, beyond]) => ({ name, unit, default: standard, beyond }) as Row,
  );
}

/** The limits of a client, named as a user finds them among its options. */
const ALL_CLIENT_LIMITS = {
  ...CLIENT_LIMITS,
  ...Object.fromEntries(
    Object.entries(RECONNECT_LIMITS).map(([name, limit]) => [`reconnect.${name}`, limit]),
  ),
};

function namesOf(rows: readonly Row[]): string[] {
  return rows.map(({ name }) => name);
}

/** A number as the page writes it, in groups of three. */
function written(number: number): string {
  return number.toLocaleString('en').replaceAll(',', ' ');
}

function messageOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

/**
 * The options that are numbers, as the code itself tells: it lists those it knows when it meets one
 * that it does not, and says what each must be.
 */
function numericOptions(read: (options: Record<string, unknown>) => unknown): string[] {
  const known = messageOf(() => read({ unheardOf: 1 })).match(/Known options: (.*)\.$/)?.[1];
  if (known === undefined) throw new Error('The known options were not listed.');
  return known
    .split(', ')
    .filter((name) => messageOf(() => read({ [name]: -1 })).includes('must be a whole number'));
}

describe('the documented limits', () => {
  it.each([
    ['every connector', LIMITS],
    ['`NetConnector`', NET_LIMITS],
    ['(`PikeClient`)', ALL_CLIENT_LIMITS],
    ['heartbeats, on either side', SESSION_LIMITS],
    ['each connection of a `PikeServer`', HANDLING_LIMITS],
  ])('are those of %s, in order, with unit and default', (heading, table) => {
    const rows = rowsOf(heading).map(({ name, unit, default: standard }) => ({
      name,
      unit,
      default: standard,
    }));
    const coded = Object.entries(table).map(([name, { unit, default: standard }]) => ({
      name,
      unit,
      default: written(standard),
    }));
    expect(rows).toEqual(coded);
  });

  it('are, with those of a NetConnector, all of its options that are numbers', () => {
    const coded = numericOptions(
      (options) => new NetConnector({ converter: new LineConverter(), ...options }),
    );
    const rows = [...rowsOf('every connector'), ...rowsOf('`NetConnector`')];
    // A port is an address, and no limit.
    expect(namesOf(rows).sort()).toEqual(coded.filter((name) => name !== 'port').sort());
  });

  it('are those of shutting down a server or a client', () => {
    const coded = numericOptions((options) => readShutdownOptions('PikeServer', options));
    const rows = rowsOf('`PikeClient`');
    expect(namesOf(rows)).toEqual(coded.map((name) => `shutdown.${name}`));
    const { deadline } = readShutdownOptions('PikeServer', {});
    expect(rows).toMatchObject([{ unit: 'ms', default: written(deadline) }]);
  });

  it('say what happens beyond them, with codes that exist', () => {
    const rows = [
      'every connector',
      '`NetConnector`',
      '(`PikeClient`)',
      'heartbeats, on either side',
      'each connection of a `PikeServer`',
      '`PikeClient`',
    ].flatMap(rowsOf);
    expect(rows.filter(({ beyond }) => beyond === '')).toEqual([]);
    const codes = rows.flatMap(({ beyond }) => beyond.match(/PIKE_ERR_\w+/g) ?? []);
    expect(Object.keys(PIKE_ERRORS)).toEqual(expect.arrayContaining(codes));
    // And there is no row that the tests above have not read.
    expect(PAGE.match(/^\| *`/gm)).toHaveLength(rows.length);
  });
});

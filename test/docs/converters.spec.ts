// Prevents: docs/converters.md leaves out a ready converter, or says that a mistake shows where it does not.
import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import * as ready from 'nestjs-pike/converters';
import { NetConnector } from 'nestjs-pike/core';
import type { ConnectorEvent } from 'nestjs-pike/core';
import { converterCases } from 'nestjs-pike/testing';
import { RawPeer } from '../support/raw-peer.js';
import { MISTAKEN } from './mistaken-converters.js';
import type { Mistaken } from './mistaken-converters.js';

const PAGE = await readFile('docs/converters.md', 'utf8');

/** The rows of the tables whose first column has this heading: their cells. */
function rowsUnder(heading: string): string[][] {
  const tables = PAGE.split(/\n\n/).filter((text) => text.startsWith(`| ${heading} `));
  return tables.flatMap((table) =>
    table
      .split('\n')
      .slice(2)
      .map((row) =>
        row
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
  );
}

function namesUnder(heading: string): string[] {
  return rowsUnder(heading).map(([name = '']) => name.match(/^`([\w.]+)(\(\))?`$/)?.[1] ?? name);
}

describe('the ready converters of docs/converters.md', () => {
  const { Primitives, FramedConverter: _, ...others } = ready;

  it('are all that the package has', () => {
    const classes = Object.entries(others).filter(
      ([, value]) => typeof value === 'function' && 'createSerializer' in (value.prototype ?? {}),
    );
    const names = [
      ...Object.keys(Primitives).map((name) => `Primitives.${name}`),
      ...classes.map(([name]) => name),
    ];
    expect(namesUnder('converter').toSorted()).toEqual(names.toSorted());
  });

  it('have all the payloads that the package has', () => {
    const names = Object.keys(others).filter((name) => name.endsWith('Payload'));
    expect(namesUnder('payload').toSorted()).toEqual(names.toSorted());
  });
});

describe('the mistakes of docs/converters.md', () => {
  const rows = rowsUnder('mistake').map(
    ([mistake, connection, suite]) => [mistake, connection, suite] as [string, string, string],
  );
  const withCode = rows.filter(([, connection]) => connection.includes('PIKE_ERR_'));

  it('are those that are tried here', () => {
    expect(rows.map(([mistake]) => mistake)).toEqual(Object.keys(MISTAKEN));
    expect(withCode.length).toBeGreaterThan(9);
  });

  it.each(rows)('"%s" shows in the suite as it says', async (mistake, _, suite) => {
    const { converter, malformed = {} } = MISTAKEN[mistake] as Mistaken;
    const failed: string[] = [];
    for (const each of converterCases(converter, ['a line', '', 'x'], {
      malformed,
      patience: 20,
    })) {
      await each.run().catch(() => failed.push(each.name));
    }
    const requirement = suite.match(/^'(.*?)(…?)'$/)?.[1];
    if (requirement === undefined) expect({ suite, failed }).toMatchObject({ failed: [] });
    else expect(failed).toContainEqual(expect.stringContaining(requirement));
  });

  let connector: NetConnector<string> | undefined;
  let peer: RawPeer | undefined;
  afterEach(async () => {
    await connector?.shutdown({ now: true });
    await peer?.destroy();
  });

  it.each(withCode)('"%s" shows on a connection as it says: %s', async (mistake, told) => {
    const { converter, limits, peerSends } = MISTAKEN[mistake] as Mistaken;
    connector = new NetConnector({ converter, host: '127.0.0.1', port: 0, ...limits });
    await connector.run();
    peer = await RawPeer.connect(connector.address!);
    if (peerSends !== undefined) peer.write(peerSends);
    const fault = await firstFault(connector, peerSends === undefined);
    expect(told).toContain(`\`${(fault.error as ready.PikeError).code}\``);
    expect(told.includes('rejected')).toBe(fault.type === 'rejectedMessage');
    expect(told.includes('`incomplete`')).toBe('incomplete' in fault && fault.incomplete === 'x');
  });
});

/** Accepts a peer, and sends to it if asked to; then the first event with an error. */
async function firstFault(
  connector: NetConnector<string>,
  sends: boolean,
): Promise<Extract<ConnectorEvent<string>, { error?: Error }>> {
  for await (const event of connector) {
    if (event.type === 'remoteConnect') {
      event.finishAccept();
      if (sends) connector.send(event.connection, 'x');
    } else if ('error' in event && event.error !== undefined) return event;
  }
  throw new Error('The connector was shut down.');
}

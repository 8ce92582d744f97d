// Prevents: docs/correlation.md describes packets that are not those of the code, or other bounds.
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';

const PAGE = await readFile('docs/correlation.md', 'utf8');
const PACKETS = await readFile('src/nest/packets/packets.ts', 'utf8');

/** The names of the fields that an interface of packets.ts declares. */
function fieldsOf(name: string): string[] {
  const body = PACKETS.match(new RegExp(`interface ${name} \\{\\n([\\s\\S]*?)\\n\\}`))?.[1];
  if (body === undefined) throw new Error(`packets.ts has no interface ${name}.`);
  return Array.from(body.matchAll(/^ {2}(\w+)\??:/gm), ([, field]) => field as string);
}

/** The rows of the table of fields: the names in the first cell, and the rest. */
const ROWS = Array.from(
  PAGE.matchAll(/^\| ((?:`\w+`(?:, )?)+) +\| +((?:request|reply|cancellation|heartbeat).*?) +\|/gm),
  ([, names, where]) => ({ names: names!.match(/\w+/g)!, where: where! }),
);

function documented(kind: string): string[] {
  return ROWS.filter(({ where }) => where.includes(kind)).flatMap(({ names }) => names);
}

describe('the packets of docs/correlation.md', () => {
  it('have the fields that the code has, all of them', () => {
    const interfaces = [
      'IncomingPacket',
      'ReplyPacket',
      'OutgoingPacket',
      'IncomingReply',
      'HeartbeatPacket',
    ];
    const coded = new Set(interfaces.flatMap(fieldsOf));
    expect(ROWS.flatMap(({ names }) => names).toSorted()).toEqual([...coded].toSorted());
  });

  it('have them where the code has them', () => {
    const asked = [...documented('request, event'), 'id', ...documented('cancellation')];
    expect(fieldsOf('IncomingPacket').toSorted()).toEqual(asked.toSorted());
    expect(fieldsOf('ReplyPacket').toSorted()).toEqual(['id', ...documented('reply')].toSorted());
    expect(fieldsOf('HeartbeatPacket')).toEqual(documented('heartbeat'));
  });
});

describe('the bounds of docs/correlation.md', () => {
  it.each([
    ['src/nest/packets/packet-checks.ts', 'MOST_ID_CHARACTERS', 'a text of up to', 'characters'],
    ['src/nest/calls/calls.ts', 'MOST_ABANDONED', 'More than', 'such end the connection'],
  ])('are those of %s: %s', async (file, name, before, after) => {
    const source = await readFile(file, 'utf8');
    const bound = Number(source.match(new RegExp(`const ${name} = (\\d+);`))?.[1]);
    const written = bound.toLocaleString('en').replaceAll(',', ' ');
    expect(PAGE).toContain(`${before} ${written} ${after}`);
  });
});

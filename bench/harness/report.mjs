import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.mjs';
import { median, ratioOf } from './statistics.mjs';

/** The options that every benchmark takes: `--quick` and `--json FILE`. */
export function readOptions({ rounds, quickRounds }) {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
  });
  return { ...values, rounds: values.quick ? quickRounds : rounds };
}

const short = (figure) =>
  figure >= 1e6
    ? `${(figure / 1e6).toFixed(2)} M`
    : figure >= 1e3
      ? `${(figure / 1e3).toFixed(1)} k`
      : figure.toPrecision(3);

/** The figures of one section: for each peer its median, and how the first of this package compares with it. */
function summarise({ title, unit, results }) {
  const own = [...results].find(([{ name }]) => name.startsWith('nestjs-pike'));
  const rows = [...results].map(([{ name }, figures]) => ({
    name,
    median: median(figures[unit]),
    ratio: own === undefined ? undefined : ratioOf(own[1][unit], figures[unit]),
    figures,
  }));
  return { title, unit, rows };
}

/** Prints the figures as a table, and writes them to a file if one is named. */
export function report({ name, title, sections, peers, rounds, json }) {
  const machine = describeMachine();
  const summaries = sections.map(summarise);
  console.log(`${title}. ${rounds} rounds, medians; ratios within a round, lowest to highest.`);
  console.log(`${machine.date}, Node ${machine.node}, ${machine.cpu}`);
  for (const summary of summaries) {
    console.log(`\n${summary.title}, ${summary.unit}`);
    for (const row of summary.rows) {
      const { ratio } = row;
      const compared =
        ratio === undefined
          ? ''
          : `   ours is ${ratio.median.toFixed(2)} × (${ratio.lowest.toFixed(2)} to ${ratio.highest.toFixed(2)})`;
      const others = Object.entries(row.figures)
        .filter(([figure]) => figure !== summary.unit)
        .map(([figure, all]) => `   ${figure} ${short(median(all))}`)
        .join('');
      console.log(`  ${row.name.padEnd(34)}${short(row.median).padStart(9)}${compared}${others}`);
    }
  }
  const missing = peers.filter(({ version }) => version === undefined);
  for (const peer of missing) console.log(`\nMissing: ${peer.name} (npm run bench:setup)`);
  if (json === undefined) return;
  const versions = Object.fromEntries(peers.map((peer) => [peer.name, peer.version ?? 'missing']));
  const document = { name, title, machine, rounds, versions, sections: summaries };
  writeFileSync(json, `${JSON.stringify(document, null, 2)}\n`);
}

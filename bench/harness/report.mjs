import { writeFileSync } from 'node:fs';
import { describeMachine } from './machine.mjs';
import { summarise } from './summary.mjs';
import { asText, tableOf } from './table.mjs';

/** The conditions of a benchmark, in one line. */
export function conditionsOf({ rounds, quick, machine }) {
  const { date, node, cpu, memory, kernel, load } = machine;
  const often = `${rounds} ${rounds === 1 ? 'round' : 'rounds'}${quick ? ', a quick run' : ''}`;
  return `${often}; ${date}, Node ${node}, ${cpu}, ${memory}, Linux ${kernel}, load before ${load}`;
}

/**
 * Prints the figures of a benchmark as tables, and writes them to a file if one is named.
 * @param peers who was to be measured: `{ name, version, remedy }`; without a version, the peer is missing,
 * and `remedy` says what to do about it. Default: to install it.
 * @param flaw why the run is void; then the process fails
 */
export function report({ name, title, sections, peers, rounds, quick, json, flaw }) {
  const versions = Object.fromEntries(peers.map((peer) => [peer.name, peer.version ?? 'missing']));
  const missing = peers
    .filter(({ version }) => version === undefined)
    .map(({ name: peer, remedy = 'npm run bench:setup' }) => `${peer} (${remedy})`);
  const machine = describeMachine();
  const document = { name, title, machine, rounds, quick, versions, missing };
  if (flaw !== undefined) document.void = flaw;
  document.sections = sections.map(summarise);
  console.log(
    `${title}. Medians; ratios within a round, lowest–highest. ${conditionsOf(document)}`,
  );
  for (const section of document.sections) {
    console.log(`\n${asText(tableOf(section)).join('\n')}`);
  }
  for (const each of missing) console.log(`\nMissing: ${each}`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(document, null, 2)}\n`);
  if (flaw === undefined) return;
  console.error(`\n*** VOID: ${flaw} Quote none of these figures. ***`);
  process.exitCode = 1;
}

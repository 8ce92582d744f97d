// Where the time goes: runs one scenario with `--cpu-prof` on both sides, and tells the self time of functions, ours
// and others'. `npm run bench:profile -- <scenario> [--seconds 8] [--rows 25] [--markdown] [--keep FOLDER]
// [options of its own]`, such as
// `-- requests --in-flight 64`, `-- one-way --size 100 --converter object`, `-- growth --connections 1000 --per-turn 1`.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { conditionsOf } from './harness/report.mjs';
import { describeMachine } from './harness/machine.mjs';
import { asMarkdown, asText } from './harness/table.mjs';
import { SCENARIOS } from './profile/scenarios.mjs';
import { selfTimes } from './profile/self-time.mjs';

/** Starting and warming up, in ms, are left out. */
const WARM_UP_MS = 2_000;
const INTERVAL_MICROSECONDS = 250;

const [name, ...args] = process.argv.slice(2);
const scenario = SCENARIOS[name];
if (scenario === undefined) {
  throw new TypeError(`Name a scenario: ${Object.keys(SCENARIOS).join(', ')}; got ${name}.`);
}
const { values: options } = parseArgs({
  args,
  options: {
    seconds: { type: 'string', default: '8' },
    rows: { type: 'string', default: '25' },
    keep: { type: 'string' },
    markdown: { type: 'boolean', default: false },
    ...scenario.options,
  },
});
const seconds = Number(options.seconds);
if (!(seconds > 0)) throw new TypeError(`--seconds must be above 0; got ${options.seconds}.`);

const folder = options.keep ?? mkdtempSync(join(tmpdir(), 'pike-profile-'));
mkdirSync(folder, { recursive: true });
const nodeOptionsOf = (role) => [
  '--cpu-prof',
  `--cpu-prof-interval=${INTERVAL_MICROSECONDS}`,
  `--cpu-prof-dir=${folder}`,
  `--cpu-prof-name=${role}.cpuprofile`,
  `--import=${new URL('profile/exit-when-told.mjs', import.meta.url)}`,
];
const nodeOptions = Object.fromEntries(scenario.roles.map((role) => [role, nodeOptionsOf(role)]));
const percent = (share) => `${(share * 100).toFixed(1)} %`;
const show = (table) =>
  console.log(`\n${options.markdown ? asMarkdown(table) : asText(table).join('\n')}`);

try {
  await scenario.run({ ...options, seconds: seconds + WARM_UP_MS / 1000 }, nodeOptions, 'SIGTERM');
  console.log(`${name} ${args.join(' ')}`.trim());
  console.log(conditionsOf({ rounds: 1, quick: false, machine: describeMachine() }));
  for (const role of scenario.roles) {
    const profile = JSON.parse(readFileSync(join(folder, `${role}.cpuprofile`), 'utf8'));
    const root = new URL('..', import.meta.url).href;
    const { busy, functions, groups } = selfTimes(profile, { from: WARM_UP_MS, root });
    show([
      [`${role}, ${(busy / 1000).toFixed(1)} s busy`, 'self'],
      ...groups.map(({ group, share }) => [group, percent(share)]),
    ]);
    show([
      ['function', 'self', 'group', 'place'],
      ...functions
        .slice(0, Number(options.rows))
        .map((each) => [each.name, percent(each.share), each.group, each.place]),
    ]);
  }
  if (options.keep !== undefined) console.log(`\nProfiles, for Chrome's DevTools: ${folder}`);
} finally {
  if (options.keep === undefined) rmSync(folder, { recursive: true });
}

// Every benchmark, one after the other. The figures, a page of tables and a chart go to `bench/results`; those of
// a quick run, which are worth little, to `.build/bench/quick`. `npm run bench [-- --quick] [--json FILE]`
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readOptions } from './harness/options.mjs';
import { drawResults, writeResults } from './harness/results.mjs';

const PARTS = ['one-way', 'requests', 'streams', 'files', 'idle', 'growth'];
const { quick, json } = readOptions({});

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const folder = path(quick ? '../.build/bench/quick' : 'results');
const fileOf = (part) => join(folder, `${part}.json`);

mkdirSync(folder, { recursive: true });
const done = [];
for (const part of PARTS) {
  rmSync(fileOf(part), { force: true }); // else a part that fails would leave what it found another time
  const args = [path(`${part}.mjs`), '--json', fileOf(part), ...(quick ? ['--quick'] : [])];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
  console.log('');
  try {
    done.push(JSON.parse(readFileSync(fileOf(part), 'utf8')));
  } catch (error) {
    console.error(`*** ${part} has failed: ${error.message} ***\n`);
    process.exitCode = 1;
  }
}
if (done.length > 0) {
  writeFileSync(join(folder, 'README.md'), writeResults(done));
  writeFileSync(join(folder, 'chart.svg'), drawResults(done));
  console.log(`Tables, chart and figures: ${relative(process.cwd(), folder)}`);
}
if (json !== undefined) writeFileSync(json, `${JSON.stringify(done, null, 2)}\n`);
for (const { title, void: flaw } of done) {
  if (flaw !== undefined) console.error(`*** VOID: ${title}: ${flaw} ***`);
}

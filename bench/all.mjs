// Every benchmark, one after the other, its figures written to `bench/results`:
// `npm run bench [-- --quick]`
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
mkdirSync(path('results'), { recursive: true });
for (const part of ['one-way', 'requests', 'streams']) {
  const args = [path(`${part}.mjs`), '--json', path(`results/${part}.json`)];
  const { status } = spawnSync(process.execPath, [...args, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
  console.log('');
}

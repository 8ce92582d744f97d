// The file copy in flat memory, which `npm test` shows with 128 MiB, with 2 GiB.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const args = ['test', '--', 'test/samples/large-transfer', ...process.argv.slice(2)];
const cli = process.env.npm_execpath;
const { status } = spawnSync(cli ? process.execPath : 'npm', cli ? [cli, ...args] : args, {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PIKE_FILE_BYTES: `${2 * 1024 ** 3}` },
});
process.exitCode = status ?? 1;

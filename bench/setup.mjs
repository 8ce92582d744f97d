// Installs everything that the benchmarks measure this package against: `npm run bench:setup`.
// A peer that cannot be installed is named here, and reported as missing by the benchmarks.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = fileURLToPath(new URL('../.build/bench/', import.meta.url));
/** Not in package.json: nobody else needs them. */
const NPM = [
  'zeromq@6.8.0',
  'ws@8.23.0',
  '@nats-io/transport-node@3.4.0',
  'ioredis@6.0.0',
  '@grpc/grpc-js@1.14.7',
  '@grpc/proto-loader@0.8.1',
];
const DEBIAN = [
  'gcc',
  'libc6-dev',
  'pkg-config',
  'libzmq3-dev',
  'python3-twisted',
  'python3-tornado',
  'redis-server',
  'nats-server',
];

let failed = false;
function attempt(what, command, ...args) {
  console.log(`\n--- ${what}`);
  try {
    execFileSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  } catch (error) {
    failed = true;
    console.error(`${what}: ${error.message}`);
  }
}

const apt = [...(process.getuid?.() === 0 ? [] : ['sudo']), 'apt-get', '-q'];
attempt('package lists', ...apt, 'update');
for (const each of DEBIAN) attempt(each, ...apt, 'install', '-y', '--no-install-recommends', each);
attempt('npm packages', 'npm', 'install', '--no-save', '--no-audit', '--no-fund', ...NPM);
mkdirSync(built, { recursive: true });
attempt('libzmq in C', 'cc', '-O2', '-o', `${built}zmq`, 'bench/one-way/peers/zmq.c', '-lzmq');
process.exitCode = failed ? 1 : 0;

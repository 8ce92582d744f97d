// Proves that the package, as it would be published, works in applications as users have them: what
// `nest new` makes, of each major version of Nest, with the package and nothing of this repository
// installed, and the application and the e2e suite of `test/compat` copied in: first without any optional
// peer, then with the oldest of each, and the folders `operations`, which use them.
//
// `node scripts/compat.mjs [name...]`: all applications, or those named.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'test', 'compat');

/**
 * `versions`: of Nest's packages; the suite runs with each, and with the last of them also what needs
 * the optional peers. `terminus`: the oldest that goes with it.
 */
const APPLICATIONS = [
  // CommonJS, jest with ts-jest.
  {
    name: 'nest-11',
    cli: '@nestjs/cli@11',
    versions: ['^11', '11.1.4'],
    terminus: '11.0.0',
    extensions: false,
  },
  // ES modules, vitest.
  {
    name: 'nest-12',
    cli: '@nestjs/cli@12',
    versions: ['^12'],
    terminus: '12.0.0',
    extensions: true,
  },
];

/** The oldest API of OpenTelemetry that is supported, with an SDK of its time. */
const OPENTELEMETRY = [
  '@opentelemetry/api@1.9.0',
  '@opentelemetry/instrumentation@0.200.0',
  '@opentelemetry/sdk-trace-node@2.0.0',
];
const { peerDependenciesMeta } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const OPTIONAL_PEERS = Object.keys(peerDependenciesMeta);

function npm(cwd, ...args) {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const cli = process.env.npm_execpath;
  const [command, before] = cli ? [process.execPath, [cli]] : ['npm', []];
  return execFileSync(command, [...before, ...quiet, ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: environment(),
  });
}

/** What npm has set for this repository must not reach the applications. */
function environment() {
  const kept = Object.entries(process.env).filter(([key]) => !/^npm_|^NODE_OPTIONS$/i.test(key));
  return { ...Object.fromEntries(kept), CI: 'true' };
}

/** Copies the sources into an application, with or without the folders `operations`; without the `.js` of relative imports where the application's own have none. */
function copy(folder, application, { extensions, operations }) {
  const target = join(application, folder);
  const filter = (path) => operations || basename(path) !== 'operations';
  cpSync(join(sources, folder), target, { recursive: true, filter });
  if (extensions) return;
  for (const file of readdirSync(target, { recursive: true }).filter((name) =>
    name.endsWith('.ts'),
  )) {
    const path = join(target, file);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(/(from '\.[^']*)\.js'/g, "$1'"));
  }
}

/** Type-checks an application, the tests too (vitest does not), builds it, and runs its e2e suites. */
function check(application) {
  const run = { cwd: application, stdio: ['ignore', 'inherit', 'inherit'], env: environment() };
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit'], run);
  for (const script of ['build', 'test:e2e']) execFileSync('npm', ['run', '--silent', script], run);
}

function prove({ name, cli, versions, terminus, extensions }, tarball, work) {
  console.log(`\n--- ${name}: nest new, with ${cli}`);
  const options = ['--skip-install', '--skip-git', '--package-manager', 'npm', '--strict'];
  npm(work, 'exec', '--yes', '--', cli, 'new', name, ...options);
  const application = join(work, name);
  // What is not ours to prove, and takes longest to install.
  const manifestFile = join(application, 'package.json');
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
  for (const dependency of Object.keys(manifest.devDependencies)) {
    if (/eslint|prettier|oxlint|mau$/.test(dependency)) delete manifest.devDependencies[dependency];
  }
  writeFileSync(manifestFile, JSON.stringify(manifest, null, 2));
  for (const folder of ['src', 'test'])
    copy(folder, application, { extensions, operations: false });

  for (const version of versions) {
    const packages = ['common', 'core', 'microservices', 'platform-express', 'testing'].map(
      (each) => `@nestjs/${each}@${version}`,
    );
    npm(application, 'install', tarball, ...packages);
    const { version: installed } = JSON.parse(
      readFileSync(join(application, 'node_modules', '@nestjs', 'core', 'package.json'), 'utf8'),
    );
    console.log(`\n--- ${name}: Nest ${installed}`);
    for (const peer of OPTIONAL_PEERS) {
      if (existsSync(join(application, 'node_modules', peer))) {
        throw new Error(`${peer} is there: that it is not needed is not proved.`);
      }
    }
    check(application);
    execFileSync(process.execPath, ['dist/main.js'], {
      cwd: application,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: environment(),
    });
    const own = npm(application, 'exec', '--no', '--', 'nestjs-pike', '--version').trim();
    console.log(`npx nestjs-pike --version: ${own}`);
    if (!tarball.endsWith(`-${own}.tgz`)) throw new Error(`${own} is not what was packed.`);
  }

  console.log(`\n--- ${name}: with ${OPTIONAL_PEERS.join(' and ')}`);
  npm(application, 'install', `@nestjs/terminus@${terminus}`, ...OPENTELEMETRY);
  for (const folder of ['src', 'test']) {
    copy(folder, application, { extensions, operations: true });
  }
  check(application);
}

const wanted = process.argv.slice(2);
const chosen = APPLICATIONS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
if (chosen.length === 0 || chosen.length < wanted.length) {
  console.error(`Applications: ${APPLICATIONS.map(({ name }) => name).join(', ')}`);
  process.exit(1);
}
const work = mkdtempSync(join(tmpdir(), 'nestjs-pike-compat-'));
try {
  const [packed] = JSON.parse(
    npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', work),
  );
  for (const each of chosen) prove(each, join(work, packed.filename), work);
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(`\nThe package works in ${chosen.map(({ name }) => name).join(' and ')}.`);

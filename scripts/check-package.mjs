// Packs the package as npm would publish it, and checks what a user gets: the list of files,
// the exports (publint), the types (are-the-types-wrong, and the compiler without skipLibCheck), that
// every entry point loads both by import and by require, with the same names, and that the command line
// runs.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const work = join(root, '.build', 'package');
const problems = [];

function run(command, args) {
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
}

function npm(...args) {
  const cli = process.env.npm_execpath;
  const options = { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] };
  return cli
    ? execFileSync(process.execPath, [cli, ...args], options)
    : execFileSync('npm', args, options);
}

function binary(name, bin) {
  const home = join(root, 'node_modules', name);
  const { bin: bins } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  return join(home, typeof bins === 'string' ? bins : bins[bin]);
}

rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
const [packed] = JSON.parse(npm('pack', '--json', '--ignore-scripts', '--pack-destination', work));
const tarball = join(work, packed.filename);
const files = packed.files.map(({ path }) => path);

// 1. Only what users need.
const allowed = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^dist\/(esm|cjs)\/package\.json$/,
  /^dist\/(esm|cjs)\/(?!.*\.spec\.)[\w./-]+\.(js|d\.ts)$/,
];
for (const file of files) {
  if (!allowed.some((pattern) => pattern.test(file))) problems.push(`must not be packed: ${file}`);
}
const promised = Object.values(manifest.exports)
  .filter((entry) => typeof entry === 'object')
  .flatMap((entry) => Object.values(entry).flatMap((target) => Object.values(target)))
  .map((file) => file.replace('./', ''));
for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md', ...promised]) {
  if (!files.includes(file)) problems.push(`is missing from the package: ${file}`);
}
// The command line is a program, and is built once.
const inFormat = (format) =>
  files
    .filter((file) => file.startsWith(`dist/${format}/`))
    .map((file) => file.slice(9))
    .filter((file) => !file.startsWith('cli/'));
if (inFormat('esm').join('\n') !== inFormat('cjs').join('\n')) {
  problems.push('dist/esm and dist/cjs do not hold the same files');
}

// 2. Every entry point loads in both formats. The copy lies below this folder, so that it
//    finds the peers; it is loaded through its own package.json, as an installed one is.
const home = join(work, 'node_modules', manifest.name);
mkdirSync(home, { recursive: true });
// Otherwise the name would lead to this folder: a package may import itself by its name.
writeFileSync(join(work, 'package.json'), '{ "private": true }');
run('tar', ['-xzf', tarball, '-C', home, '--strip-components=1']);
const specifiers = Object.keys(manifest.exports)
  .filter((entry) => entry !== './package.json')
  .map((entry) => join(manifest.name, entry).replaceAll('\\', '/'));
for (const specifier of specifiers) {
  const names = (kind, code) => {
    const output = execFileSync(
      process.execPath,
      ['--no-warnings', `--input-type=${kind}`, '--eval', code],
      { cwd: work, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    );
    return output.trim();
  };
  const print = `process.stdout.write(Object.keys(entry).filter((n) => n !== '__esModule').sort().join())`;
  const esm = names(
    'module',
    `import 'reflect-metadata'; const entry = await import('${specifier}'); ${print}`,
  );
  const cjs = names(
    'commonjs',
    `require('reflect-metadata'); const entry = require('${specifier}'); ${print}`,
  );
  if (esm !== cjs) problems.push(`${specifier} differs: import has ${esm}; require has ${cjs}`);
  if (esm === '') problems.push(`${specifier} exports nothing`);
}

// 3. The types hold by themselves, for those who do not skip those of libraries.
for (const program of ['program.mts', 'program.cts']) {
  const lines = specifiers.map((specifier, i) => `import * as entry${i} from '${specifier}';`);
  const names = specifiers.map((_, i) => `entry${i}`);
  writeFileSync(join(work, program), [...lines, `export { ${names.join(', ')} };`].join('\n'));
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022'];
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    const types = ['--skipLibCheck', 'false', '--types', 'node', '--ignoreConfig'];
    execFileSync(process.execPath, [tsc, ...options, ...types, program], { cwd: work });
  } catch ({ stdout }) {
    problems.push(`the types fail in ${program}: ${stdout}`);
  }
}

// 4. The command line starts by its file, as a shell starts it.
for (const [name, file] of Object.entries(manifest.bin)) {
  if (!files.includes(file)) problems.push(`is missing from the package: ${file}`);
  const version = execFileSync(join(home, file), ['--version'], { encoding: 'utf8' }).trim();
  if (version !== manifest.version) problems.push(`${name} --version prints ${version}`);
}

if (problems.length > 0) {
  console.error(`The package is not right:\n  ${problems.join('\n  ')}`);
  process.exit(1);
}
console.log(`${packed.filename}: ${files.length} files, ${packed.unpackedSize} bytes unpacked`);

// 5. The judges.
run(process.execPath, [binary('publint', 'publint'), 'run', tarball, '--strict']);
run(process.execPath, [binary('@arethetypeswrong/cli', 'attw'), tarball, '--no-emoji']);

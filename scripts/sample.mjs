// Runs a built sample: `node scripts/sample.mjs 01-doubler [file] [arguments...]`.
// The file is `main` unless the next argument names another one of the sample's files (`client`).
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { join } from 'node:path';

const built = fileURLToPath(new URL('../.build/sample/', import.meta.url));
const [sample, ...rest] = process.argv.slice(2);

if (!sample || !existsSync(join(built, sample, 'main.js'))) {
  const names = readdirSync(built).filter((name) => existsSync(join(built, name, 'main.js')));
  console.error(`${sample ? `No sample "${sample}". ` : ''}Samples:\n  ${names.join('\n  ')}`);
  process.exit(1);
}

// A first argument that names a file of the sample picks that file.
const named =
  /^[a-z][\w-]*$/i.test(rest[0] ?? '') && existsSync(join(built, sample, `${rest[0]}.js`));
const file = join(built, sample, `${named ? rest.shift() : 'main'}.js`);

// The sample sees the same argv as if it had been started by itself.
process.argv = [process.argv[0], file, ...rest];
await import(pathToFileURL(file).href);

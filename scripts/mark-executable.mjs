// Lets the command line be started by its file, in this repository as where npm has installed it.
import { chmodSync, readFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const { bin } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
for (const path of new Set(Object.values(bin))) chmodSync(new URL(path, root), 0o755);

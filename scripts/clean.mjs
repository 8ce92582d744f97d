// Removes everything that is built. What tests and other scripts keep in `.build` stays.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

for (const path of ['dist/', '.build/sample/']) {
  rmSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), { recursive: true, force: true });
}

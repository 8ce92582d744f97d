// Tells Node, TypeScript and bundlers which module format each half of dist is in.
import { writeFileSync } from 'node:fs';

for (const [folder, type] of [
  ['esm', 'module'],
  ['cjs', 'commonjs'],
]) {
  // Bundlers read `sideEffects` from the nearest package.json, so it is repeated here.
  const marker = { type, sideEffects: false };
  writeFileSync(
    new URL(`../dist/${folder}/package.json`, import.meta.url),
    `${JSON.stringify(marker, null, 2)}\n`,
  );
}

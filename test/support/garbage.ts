import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Collects everything that nobody holds, so that what is left can be measured. */
export function collectGarbage(): void {
  gc();
}

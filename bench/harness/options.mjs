import { parseArgs } from 'node:util';

/**
 * The options of a benchmark: `--quick`, as short as it can be; `--json FILE`, where the figures go; and
 * those of its own.
 * @param rounds how many rounds are measured
 * @param quickRounds how many with `--quick`
 * @param own as the `options` of `parseArgs`
 */
export function readOptions({ rounds, quickRounds = 1, own = {} }) {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, ...own },
  });
  return { ...values, rounds: values.quick ? quickRounds : rounds };
}

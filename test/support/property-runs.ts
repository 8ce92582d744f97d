/**
 * How often a property is tried, as fast-check's parameters. For a soak set PIKE_PROPERTY_RUNS to
 * what the numbers of runs are multiplied by; to repeat a failure, PIKE_PROPERTY_SEED to the seed
 * that it printed.
 */
export function propertyRuns(numRuns: number): { numRuns: number; seed?: number } {
  const { PIKE_PROPERTY_RUNS: factor = '1', PIKE_PROPERTY_SEED: seed } = process.env;
  const times = { numRuns: Math.ceil(numRuns * Number(factor)) };
  return seed === undefined ? times : { ...times, seed: Number(seed) };
}

/** jest's limit for a property, in ms: a soak takes its time. */
export const PROPERTY_TIMEOUT = 3_600_000;

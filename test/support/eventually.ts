/** Resolves once a condition holds of which no event tells: looks at it in every turn. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * Resolves with a count, above zero, once it has stopped growing: for showing that something is
 * bounded, of which no event can tell.
 */
export async function settled(count: () => number): Promise<number> {
  for (let before = 0; ; before = count()) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (count() > 0 && count() === before) return before;
  }
}

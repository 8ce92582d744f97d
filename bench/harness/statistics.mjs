/** The middle figure: unlike the mean, it does not follow one round that the machine has disturbed. */
export function median(figures) {
  const sorted = figures.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * How many times as large one series is as another, round by round: what slowed the machine down in a
 * round has slowed both.
 */
export function ratioOf(figures, others) {
  const ratios = figures.map((figure, round) => figure / others[round]);
  return { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) };
}

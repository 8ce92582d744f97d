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

/** The figure below which the given share of a sorted series lies. */
export function percentile(sorted, share) {
  return sorted[Math.floor(share * (sorted.length - 1))];
}

/**
 * The straight line that lies nearest to points, by least squares.
 * @param points `[x, y]`, three or more
 * @returns its slope, the standard error of the slope, and the mean of y
 */
export function linearFit(points) {
  const count = points.length;
  const meanOf = (axis) => points.reduce((sum, point) => sum + point[axis], 0) / count;
  const [meanX, mean] = [meanOf(0), meanOf(1)];
  let [spread, together] = [0, 0];
  for (const [x, y] of points) {
    spread += (x - meanX) ** 2;
    together += (x - meanX) * (y - mean);
  }
  const slope = together / spread;
  const residue = points.reduce((sum, [x, y]) => sum + (y - mean - slope * (x - meanX)) ** 2, 0);
  return { slope, slopeError: Math.sqrt(residue / (count - 2) / spread), mean };
}

/**
 * How much a fitted line climbs over a span of x, beyond what the scatter of the points could feign: two
 * standard errors. 0 or less: it does not.
 */
export function sureGrowth({ slope, slopeError }, span) {
  return (slope - 2 * slopeError) * span;
}

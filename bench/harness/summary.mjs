import { median, ratioOf } from './statistics.mjs';

const isOurs = (name) => name.startsWith('nestjs-pike');

/**
 * The figures of one section of a benchmark.
 * @param unit the figure that is compared; the others only stand beside it
 * @param lessIsBetter whether it is a cost
 * @param against the peer to which the others are compared; if not given, each peer of ours is compared to
 * every peer
 * @param results for each peer, the figures of all rounds by name
 */
export function summarise({ title, unit, lessIsBetter = false, against, results }) {
  const series = [...results].map(([{ name }, figures]) => ({ name, figures }));
  const comparisons = comparisonsOf(series, against);
  const rows = series.map(({ name, figures }) => ({
    name,
    ours: isOurs(name),
    medians: Object.fromEntries(Object.entries(figures).map(([each, all]) => [each, median(all)])),
    ratios: comparisons.map(({ ratio }) => ratio({ name, figures: figures[unit] }, unit)),
    figures,
  }));
  return { title, unit, lessIsBetter, comparisons: comparisons.map((each) => each.title), rows };
}

/** What the ratios of a row say. `null`: the row itself. */
function comparisonsOf(series, against) {
  const named = (name) => series.find((each) => each.name === name);
  if (against !== undefined) {
    const ratio = (row, unit) =>
      row.name === against ? null : ratioOf(row.figures, named(against).figures[unit]);
    return [{ title: `against ${against}`, ratio }];
  }
  return series
    .filter(({ name }) => isOurs(name))
    .map(({ name, figures }) => ({
      title: `${name} is`,
      ratio: (row, unit) => (row.name === name ? null : ratioOf(figures[unit], row.figures)),
    }));
}

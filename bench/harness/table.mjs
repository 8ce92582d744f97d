/** A figure in three or four digits. */
export function short(figure) {
  if (Math.abs(figure) >= 999_950) return `${(figure / 1e6).toFixed(2)} M`;
  if (Math.abs(figure) >= 999.5) return `${(figure / 1e3).toFixed(1)} k`;
  return figure === 0 ? '0' : figure.toPrecision(3);
}

function showRatio(ratio) {
  if (ratio === null) return '';
  const [median, lowest, highest] = [ratio.median, ratio.lowest, ratio.highest].map((each) =>
    each.toFixed(2),
  );
  return `${median} × (${lowest}–${highest})`;
}

/** The cells of a section of {@link summarise}, the head in the first row. */
export function tableOf({ title, unit, comparisons, rows }) {
  const beside = Object.keys(rows[0].medians).filter((name) => name !== unit);
  const head = [title, unit, ...beside, ...comparisons];
  const body = rows.map(({ name, medians, ratios }) => [
    name,
    ...[unit, ...beside].map((figure) => short(medians[figure])),
    ...ratios.map(showRatio),
  ]);
  return [head, ...body];
}

/** A table for a terminal: lines whose cells stand below each other. */
export function asText(table) {
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return table.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** A table for a page. */
export function asMarkdown([head, ...body]) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [head, rule, ...body].map(line).join('\n');
}

import { chart } from './chart.mjs';
import { conditionsOf } from './report.mjs';
import { asMarkdown, tableOf } from './table.mjs';

/** Which sections are drawn: the name of the benchmark, the title of the section, and its title in the chart. */
const DRAWN = [
  ['one-way', '100 bytes', 'One way, 100 bytes'],
  ['requests', '1000 in flight', 'Requests through Nest, 1000 in flight'],
  ['requests', '64 in flight', 'Requests through Nest, 64 in flight'],
  ['requests', '1 in flight', 'Requests through Nest, one at a time'],
];

const shortName = (name) => name.replace(/^nestjs-pike, /, '');

function panelOf({ unit, rows }, title) {
  const ours = rows.find((row) => row.ours);
  const bars = rows.map((row) => ({
    name: row.name,
    value: row.medians[unit],
    ours: row.ours,
    ratio: row === ours ? undefined : row.ratios[0].median,
  }));
  return { title, unit, ours: shortName(ours.name), bars };
}

/**
 * The figures that a reader wants first, as the text of an SVG.
 * @param documents what benchmarks have written by `--json`
 */
export function drawResults(documents) {
  const drawn = documents.filter(({ name }) => DRAWN.some(([each]) => each === name));
  const panels = DRAWN.flatMap(([name, section, title]) => {
    const document = documents.find((each) => each.name === name);
    const found = document?.sections.find((each) => each.title === section);
    return found === undefined ? [] : [panelOf(found, title)];
  });
  const note = ['Medians; ratios within the same rounds.', conditionsOf(documents[0])];
  for (const { missing } of drawn) note.push(...missing.map((peer) => `Missing: ${peer}`));
  const warnings = flawsOf(documents);
  return chart({ title: 'nestjs-pike beside others', panels, warnings, note });
}

const flawsOf = (documents) =>
  documents.filter((each) => each.void !== undefined).map((each) => `VOID: ${each.void}`);

/** All figures, as a page. @param documents what benchmarks have written by `--json` */
export function writeResults(documents) {
  const parts = documents.map((document) => {
    const { title, sections, versions, missing } = document;
    const known = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
    return [
      `## ${title}`,
      ...flawsOf([document]).map((flaw) => `**${flaw} Quote none of these figures.**`),
      `${conditionsOf(document)}.`,
      ...sections.map((section) => asMarkdown(tableOf(section))),
      `Versions: ${known.join('; ')}.`,
      ...missing.map((peer) => `Missing: ${peer}.`),
    ].join('\n\n');
  });
  const head =
    '# Figures\n\nWritten by `npm run bench`. Medians of the rounds; ratios were taken within each ' +
    'round, lowest–highest. What they mean: [Performance](../../docs/performance.md).';
  return `${[head, ...parts].join('\n\n')}\n`;
}

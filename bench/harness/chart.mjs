import { short } from './table.mjs';

const WIDTH = 860;
const NAMES = 250; // where the bars begin
const RIGHT = 700; // where the axis ends; behind it is place for the label of the longest bar
const ROW = 24;
const BAR = 16;
const HEAD = 34;
const AXIS = 30;
const GAP = 18;

/**
 * The ticks of an axis from 0: a handful of round numbers, evenly spaced, the last not below `most`.
 * @param most the largest figure, above 0
 */
export function ticksFor(most) {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each * 5 >= most);
  const count = Math.ceil(most / step - 1e-9);
  // By the power of ten: 3 × 0.1 is no round number.
  return Array.from({ length: count + 1 }, (_, tick) => Number((tick * step).toPrecision(12)));
}

const escaped = (content) => content.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);

/** A number of pixels, without a tail of digits. */
const px = (number) => String(Math.round(number * 10) / 10);

function text(x, y, content, kind, anchor = 'start') {
  return `<text x="${px(x)}" y="${px(y)}" class="${kind}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

/** Light colours, and dark ones for whoever reads in the dark. */
const STYLE = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 14px; }
.note, .tick { fill: #59636e; font-size: 12px; }
.warning { fill: #d1242f; font-weight: 600; }
.page { fill: #ffffff; }
.line { stroke: #d1d9e0; }
.ours { fill: #0969da; }
.other { fill: #8c959f; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .note, .tick { fill: #9198a1; }
  .warning { fill: #f85149; }
  .page { fill: #0d1117; }
  .line { stroke: #3d444d; }
  .ours { fill: #4493f8; }
  .other { fill: #656c76; }
}
</style>`;

/** The label of a bar: the figure, and how the first of ours compares with it. */
function labelOf({ value, ratio }) {
  return ratio === undefined ? short(value) : `${short(value)} (${ratio.toFixed(2)} ×)`;
}

/** The label of a tick: as a figure, without its empty digits. */
const tickLabel = (tick) =>
  short(tick)
    .replace(/(\.\d*?)0+( |$)/, '$1$2')
    .replace(/\.( |$)/, '$1');

function panelOf(panel, top) {
  const { title, unit, ours, bars } = panel;
  const ticks = ticksFor(Math.max(...bars.map(({ value }) => value)));
  const scale = (RIGHT - NAMES) / ticks.at(-1);
  const bottom = top + HEAD + bars.length * ROW;
  const lines = ticks.map((tick) => {
    const x = px(NAMES + tick * scale);
    return `<line x1="${x}" y1="${top + HEAD - 4}" x2="${x}" y2="${bottom}" class="line"/>${text(x, bottom + 16, tickLabel(tick), 'tick', 'middle')}`;
  });
  const rows = bars.map((bar, row) => {
    const y = top + HEAD + row * ROW;
    const width = Math.max(1, bar.value * scale);
    return [
      text(NAMES - 8, y + 13, bar.name, 'name', 'end'),
      `<rect x="${NAMES}" y="${y}" width="${px(width)}" height="${BAR}" rx="2" class="${bar.ours ? 'ours' : 'other'}"/>`,
      text(NAMES + width + 6, y + 13, labelOf(bar), 'value'),
    ].join('');
  });
  return [
    text(16, top + 18, `${title}: ${unit}, and how many times as fast ${ours} is`, 'title'),
    ...lines,
    ...rows,
  ].join('\n');
}

/**
 * A chart of horizontal bars, as the text of an SVG that reads in light and in dark.
 * @param panels below each other, each with an axis of its own: `{ title, unit, ours, bars }`, where `ours`
 * is a short name for whom the ratios are about, and a bar is `{ name, value, ours, ratio }`
 * @param warnings what stands at the top, in red, a line each
 * @param note what stands at the bottom, in small letters, a line each
 */
export function chart({ title, panels, warnings, note }) {
  const parts = [text(16, 28, title, 'title')];
  let top = 44;
  for (const warning of warnings) {
    parts.push(text(16, top + 6, warning, 'warning'));
    top += 20;
  }
  for (const panel of panels) {
    parts.push(panelOf(panel, top));
    top += HEAD + panel.bars.length * ROW + AXIS + GAP;
  }
  for (const line of note) {
    parts.push(text(16, top, line, 'note'));
    top += 18;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img" aria-label="${escaped(title)}">`,
    STYLE,
    `<rect width="${WIDTH}" height="${top}" class="page"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

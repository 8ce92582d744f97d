/** Over how much of the past a rate is taken, in ms. */
const WINDOW_MS = 5_000;
/** How far apart the moments are that are remembered, and the least that a rate is taken over, in ms. */
const MOMENT_MS = 200;

/** How far a transfer is, how fast it goes, and how long it will take. Times are in ms. */
export class Progress {
  readonly totalBytes: number;
  #bytes = 0;
  /** What was there at moments of the last seconds, oldest first. */
  readonly #moments: { at: number; bytes: number }[];

  constructor(totalBytes: number, now: number) {
    this.totalBytes = totalBytes;
    this.#moments = [{ at: now, bytes: 0 }];
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** From 0 to 1. */
  get share(): number {
    return this.totalBytes === 0 ? 1 : Math.min(1, this.#bytes / this.totalBytes);
  }

  /** So many bytes are done in all. */
  reached(bytes: number, now: number): void {
    this.#bytes = bytes;
    const newest = this.#moments.at(-1);
    if (newest === undefined || now - newest.at >= MOMENT_MS)
      this.#moments.push({ at: now, bytes });
    while (this.#moments.length > 2 && now - (this.#moments[1]?.at ?? now) >= WINDOW_MS) {
      this.#moments.shift();
    }
  }

  /** Bytes per second, over the last seconds; `undefined` as long as that means nothing. */
  rate(now: number): number | undefined {
    const [oldest] = this.#moments;
    if (oldest === undefined || now - oldest.at < MOMENT_MS) return undefined;
    return ((this.#bytes - oldest.bytes) * 1_000) / (now - oldest.at);
  }

  /** Seconds until all is done, if it goes on like that. */
  remaining(now: number): number | undefined {
    const rate = this.rate(now);
    return rate === undefined || rate === 0 ? undefined : (this.totalBytes - this.#bytes) / rate;
  }
}

/** A line of so many columns: `report.pdf [=====     ]  45 %  1.21 GiB of 2.70 GiB  356 MiB/s  0:04 left`. */
export function drawProgress(
  name: string,
  progress: Progress,
  now: number,
  columns: number,
): string {
  const rate = progress.rate(now);
  const remaining = progress.remaining(now);
  const text = [
    `${Math.floor(progress.share * 100)} %`.padStart(5),
    `${showBytes(progress.bytes)} of ${showBytes(progress.totalBytes)}`,
    ...(rate === undefined ? [] : [`${showBytes(rate)}/s`]),
    ...(remaining === undefined ? [] : [`${showDuration(remaining)} left`]),
  ].join('  ');
  // The last column stays free: there a terminal may begin a new row.
  const width = columns - name.length - text.length - 4;
  if (width < 5) return text.slice(0, Math.max(0, columns - 1));
  const filled = Math.floor(progress.share * width);
  return `${name} [${'='.repeat(filled)}${' '.repeat(width - filled)}]${text}`;
}

/** Three digits and a unit, such as `1.21 GiB`. */
export function showBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [bytes, 0];
  for (; value >= 1_000 && unit < units.length - 1; unit++) value /= 1_024;
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** `1:02:03`, or `2:03`. */
export function showDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60];
  const two = (part: number): string => `${part}`.padStart(2, '0');
  const last = two(whole % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${last}` : `${minutes}:${last}`;
}

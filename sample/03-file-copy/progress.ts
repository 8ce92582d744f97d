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
    return this.totalBytes === 0 ? 1 : this.#bytes / this.totalBytes;
  }

  /** So many more bytes are done. */
  advance(bytes: number, now: number): void {
    this.#bytes += bytes;
    const newest = this.#moments.at(-1);
    if (newest === undefined || now - newest.at >= MOMENT_MS) {
      this.#moments.push({ at: now, bytes: this.#bytes });
    }
    while (this.#moments.length > 2 && now - (this.#moments[1]?.at ?? now) >= WINDOW_MS) {
      this.#moments.shift();
    }
  }

  /** Bytes per second, over the last seconds; `undefined` as long as that means nothing. */
  rate(now: number): number | undefined {
    const [oldest] = this.#moments;
    if (oldest === undefined || now - oldest.at < MOMENT_MS) return undefined;
    return ((this.#bytes - oldest.bytes) * 1000) / (now - oldest.at);
  }

  /** Seconds until all is done, if it goes on like that. */
  remaining(now: number): number | undefined {
    const rate = this.rate(now);
    return rate === undefined || rate === 0 ? undefined : (this.totalBytes - this.#bytes) / rate;
  }
}

const WINDOW_MS = 5_000;
const MOMENT_MS = 200;

/** Says what a progress is: `45 %  1.21 of 2.70 GiB  356 MiB/s  0:04 left`. */
export function describeProgress(progress: Progress, now: number): string {
  const rate = progress.rate(now);
  const remaining = progress.remaining(now);
  return [
    `${Math.floor(progress.share * 100)} %`.padStart(5),
    `${formatBytes(progress.bytes)} of ${formatBytes(progress.totalBytes)}`,
    ...(rate === undefined ? [] : [`${formatBytes(rate)}/s`]),
    ...(remaining === undefined ? [] : [`${formatDuration(remaining)} left`]),
  ].join('  ');
}

/** The same with a bar in front of it that fills a line of so many columns. */
export function drawProgress(progress: Progress, now: number, columns: number): string {
  const text = describeProgress(progress, now);
  const width = columns - text.length - 4;
  if (width < 5) return text.slice(0, Math.max(0, columns - 1));
  const filled = Math.floor(progress.share * width);
  return `[${'='.repeat(filled)}${' '.repeat(width - filled)}]${text}`;
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [bytes, 0];
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1024;
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

export function formatDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (part: number): string => `${part}`.padStart(2, '0');
  const last = two(whole % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${last}` : `${minutes}:${last}`;
}

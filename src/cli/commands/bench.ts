import { createHistogram } from 'node:perf_hooks';
import type { Subscription } from 'rxjs';
import type { PikeClient } from '../../index.js';
import { isPikeError } from '../../core/index.js';
import type { CommandContext } from '../command-context.js';
import { onAbort } from '../interrupt.js';
import { openClient } from '../open-client.js';
import { readMessage } from '../read-data.js';
import type { Message } from '../read-data.js';
import { showValue } from '../show-value.js';
import { readTarget } from '../target.js';
import { remoteError } from './call.js';
import type { CallOptions } from './call.js';

/** The options of `bench`. */
export interface BenchOptions extends CallOptions {
  connections: number;
  inFlight: number;
  seconds: number;
  json?: true;
}

/** What a load has shown. Times are in ms. */
export interface BenchResult {
  requests: number;
  errors: number;
  seconds: number;
  requestsPerSecond: number;
  p50: number;
  p99: number;
}

/**
 * Keeps so many requests in flight on so many connections for so long, and prints how many were
 * answered, and how soon. Nothing is warmed up first: let it run for some seconds.
 */
export async function bench(
  words: readonly string[],
  options: BenchOptions,
  { interrupt }: CommandContext,
): Promise<void> {
  const target = await readTarget(options.to, options);
  const message = await readMessage({ words, dataFile: options.dataFile }, target.protocol);
  const { timeout, connections } = options;
  const { signal } = interrupt;
  const clients: PikeClient[] = [];
  try {
    for (let n = 0; n < connections; n++) {
      clients.push(await openClient(target, { timeout, reply: true, signal }));
    }
    const load = new Load(clients, message, options, signal);
    print(await load.run(), options.json === true);
    if (load.firstError !== undefined) throw load.firstError;
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

/** Requests in flight, each followed by the next until the time is over. */
class Load {
  /** Why the first request failed that did. */
  firstError: Error | undefined;
  readonly #clients: readonly PikeClient[];
  readonly #message: Message;
  readonly #options: BenchOptions;
  readonly #signal: AbortSignal;
  /** In µs. */
  readonly #latencies = createHistogram();
  #answered = 0;
  #errors = 0;
  #over = false;
  /** Ends each lane whose request may still be answered. */
  readonly #stops = new Set<() => void>();

  constructor(
    clients: readonly PikeClient[],
    message: Message,
    options: BenchOptions,
    signal: AbortSignal,
  ) {
    this.#clients = clients;
    this.#message = message;
    this.#options = options;
    this.#signal = signal;
  }

  async run(): Promise<BenchResult> {
    const { inFlight, seconds } = this.#options;
    const timer = setTimeout(() => (this.#over = true), seconds * 1_000);
    onAbort(this.#signal, () => this.#interrupt());
    const start = performance.now();
    const lanes = this.#clients.flatMap((client) =>
      Array.from({ length: inFlight }, () => this.#lane(client)),
    );
    await Promise.all(lanes);
    clearTimeout(timer);
    return this.#result((performance.now() - start) / 1_000);
  }

  #result(seconds: number): BenchResult {
    const [requests, errors] = [this.#answered, this.#errors];
    const ms = (percentile: number): number =>
      requests === 0 ? 0 : this.#latencies.percentile(percentile) / 1_000;
    const requestsPerSecond = Math.round(requests / seconds);
    return { requests, errors, seconds, requestsPerSecond, p50: ms(50), p99: ms(99) };
  }

  /** Waits for no reply any more. */
  #interrupt(): void {
    this.#over = true;
    for (const stop of this.#stops) stop();
  }

  /** One request after the other. Ends when the time is over, or the transport has failed. */
  #lane(client: PikeClient): Promise<void> {
    const { pattern, data } = this.#message;
    return new Promise((resolve) => {
      let request: Subscription | undefined;
      const stop = (): void => {
        this.#stops.delete(stop);
        request?.unsubscribe();
        resolve();
      };
      const next = (): void => {
        if (this.#over) return stop();
        const start = performance.now();
        request = client.send(pattern, data).subscribe({
          error: (thrown: unknown) => {
            this.#failed(thrown);
            // A client connects anew when it is used again: that is not what is measured.
            if (isPikeError(thrown) && thrown.code !== 'PIKE_ERR_OVERLOADED') stop();
            else next();
          },
          complete: () => {
            this.#answered++;
            this.#latencies.record(Math.max(1, Math.round((performance.now() - start) * 1_000)));
            next();
          },
        });
      };
      this.#stops.add(stop);
      next();
    });
  }

  #failed(thrown: unknown): void {
    this.#errors++;
    this.firstError ??= isPikeError(thrown) ? thrown : remoteError(thrown);
  }
}

function print(result: BenchResult, asJson: boolean): void {
  const { requests, errors, seconds, requestsPerSecond, p50, p99 } = result;
  const rows = [
    ['requests/s', String(requestsPerSecond)],
    ['p50', `${p50.toFixed(2)} ms`],
    ['p99', `${p99.toFixed(2)} ms`],
    ['requests', `${requests} in ${seconds.toFixed(1)} s`],
    ['errors', String(errors)],
  ] as const;
  const table = rows.map(([name, value]) => `${name.padEnd(12)}${value}`).join('\n');
  process.stdout.write(`${asJson ? showValue(result) : table}\n`);
}

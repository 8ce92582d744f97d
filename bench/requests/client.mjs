// Who asks: `node client.mjs <transport> <port>`. Each line that it reads is one measurement,
// `{ inFlight, ms }` or `{ values }`, answered by its figures. Every reply is checked.
import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { answerAll, cpuMs, tell } from '../harness/questions.mjs';
import { percentile } from '../harness/statistics.mjs';
import { TRANSPORTS } from './transports.mjs';

Logger.overrideLogger(false); // it would write between the lines
const [transport, port] = process.argv.slice(2);
const caller = TRANSPORTS[transport].client(Number(port));
await caller.connect();
tell('ready');
await answerAll(async ({ inFlight, ms, values }) => {
  const before = process.cpuUsage();
  const figures = values === undefined ? await ask(inFlight, ms) : await stream(values);
  return { ...figures, cpu: cpuMs(before) };
});

/** Asks for so many ms, so many requests at a time. */
async function ask(inFlight, ms) {
  const latencies = [];
  const began = performance.now();
  await new Promise((resolve, reject) => {
    let [sent, waiting] = [0, inFlight];
    const next = () => {
      const asked = performance.now();
      if (asked - began >= ms) {
        if (--waiting === 0) resolve();
        return;
      }
      const number = sent++;
      caller.sum([number, 1, 2]).subscribe({
        next: (total) => total === number + 3 || reject(new Error(`${number} + 3 is not ${total}`)),
        error: reject,
        complete: () => {
          latencies.push(performance.now() - asked);
          next();
        },
      });
    };
    for (let i = 0; i < inFlight; i++) next();
  });
  const took = performance.now() - began;
  const sorted = Float64Array.from(latencies).sort();
  return {
    ms: took,
    requests: sorted.length,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
  };
}

/** The values of one stream. */
async function stream(values) {
  const began = performance.now();
  await new Promise((resolve, reject) => {
    let expected = 0;
    caller.values(values).subscribe({
      next: (value) => value === expected++ || reject(new Error(`${value} is out of order`)),
      error: reject,
      complete: () => (expected === values ? resolve() : reject(new Error(`only ${expected}`))),
    });
  });
  return { ms: performance.now() - began };
}

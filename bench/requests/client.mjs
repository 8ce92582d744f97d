// Who asks: `node client.mjs <transport> <port>`. Each line that it reads is one measurement,
// `{ inFlight, requests }` or `{ values }`, answered by its figures. Every reply is checked.
import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { createInterface } from 'node:readline';
import { TRANSPORTS } from './transports.mjs';

Logger.overrideLogger(false); // it would write between the lines
const [transport, port] = process.argv.slice(2);
const caller = TRANSPORTS[transport].client(Number(port));
await caller.connect();
console.log('{"ready":true}');
for await (const line of createInterface({ input: process.stdin })) {
  const task = JSON.parse(line);
  const before = process.cpuUsage();
  const figures =
    task.values === undefined ? await ask(task.inFlight, task.requests) : await stream(task.values);
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ ...figures, cpu: (user + system) / 1000 }));
}

/** So many requests, so many at a time. */
async function ask(inFlight, requests) {
  const latencies = new Float64Array(requests);
  const began = performance.now();
  await new Promise((resolve, reject) => {
    let [sent, done] = [0, 0];
    const next = () => {
      if (sent === requests) return;
      const number = sent++;
      const asked = performance.now();
      caller.sum([number, 1, 2]).subscribe({
        next: (total) => total === number + 3 || reject(new Error(`${number} + 3 is not ${total}`)),
        error: reject,
        complete: () => {
          latencies[done++] = performance.now() - asked;
          if (done === requests) resolve();
          else next();
        },
      });
    };
    for (let i = 0; i < inFlight; i++) next();
  });
  const ms = performance.now() - began;
  latencies.sort();
  const percentile = (share) => latencies[Math.floor(share * (requests - 1))];
  return { ms, p50: percentile(0.5), p99: percentile(0.99) };
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

// The other side of `PeerProcess`: what a program in JavaScript says and is asked.
import { createInterface } from 'node:readline';

/** Prints a line of JSON. */
export function tell(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

/**
 * Answers each line of the input, one after the other, by what `answer` makes of it. What it throws
 * ends the process, as does the end of the input: whoever asked has gone.
 */
export async function answerAll(answer) {
  for await (const line of createInterface({ input: process.stdin })) {
    tell(await answer(JSON.parse(line)));
  }
  process.exit();
}

/** The processor time that this process has taken so far, or since an earlier `process.cpuUsage()`, in ms. */
export function cpuMs(since) {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

/**
 * What this process keeps in memory, after collections (`node --expose-gc`), in bytes: of the heap and
 * what belongs to it, and in all.
 */
export function memoryKept() {
  for (let i = 0; i < 4; i++) globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}

import { stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Display } from './display.js';
import { FILE_COPY_PORT } from './protocol.js';
import type { OutgoingFile } from './sender.js';
import { transfer } from './transfer.js';

const USAGE = `Usage: send [--to HOST:PORT] [--connections N] [--attempts N] FILE...

  --to HOST:PORT    the server (127.0.0.1:${FILE_COPY_PORT})
  --connections N   how many files to send at once (4)
  --attempts N      how often to connect until the server has them all (5)

Exit status: 0 all files are stored, 1 some are not, 2 wrong usage, 130 interrupted.`;

interface Arguments {
  files: string[];
  host: string;
  port: number;
  connections: number;
  attempts: number;
}

/** @throws Error for wrong usage */
function readArguments(): Arguments {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      to: { type: 'string', default: `127.0.0.1:${FILE_COPY_PORT}` },
      connections: { type: 'string', default: '4' },
      attempts: { type: 'string', default: '5' },
    },
  });
  const [, host, port] = /^(.+):(\d+)$/.exec(values.to) ?? [];
  const numbers = [port, values.connections, values.attempts].map(Number);
  if (positionals.length === 0 || host === undefined || !numbers.every((n) => n >= 1)) {
    throw new Error('No file, or a wrong number.');
  }
  const [portNumber = 0, connections = 0, attempts = 0] = numbers;
  return { files: positionals, host, port: portNumber, connections, attempts };
}

async function main(): Promise<number> {
  let given: Arguments;
  try {
    given = readArguments();
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const { host, port, connections, attempts } = given;
  const display = new Display(process.stdout, () => performance.now());

  const files: OutgoingFile[] = [];
  let missing = 0;
  for (const path of given.files) {
    try {
      files.push({ path, size: (await stat(path)).size });
    } catch (error) {
      missing++;
      display.line(`${path} cannot be sent: ${(error as Error).message}`);
    }
  }

  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupted.abort());
  }
  const { signal } = interrupted;
  const options = { endpoint: { host, port }, connections, attempts, signal };
  const failed = await transfer(files, options, display);

  for (const { path } of failed) display.line(`NOT stored: ${path}`);
  display.line(`${files.length - failed.length} of ${given.files.length} files are stored.`);
  if (signal.aborted) return 130;
  return failed.length + missing === 0 ? 0 : 1;
}

process.exitCode = await main();

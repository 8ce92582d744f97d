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
  paths: string[];
  endpoint: { host: string; port: number };
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
  if (positionals.length === 0) throw new Error('No file is named.');
  const { hostname, port } = new URL(`tcp://${values.to}`);
  if (port === '') throw new Error('--to needs a host and a port.');
  return {
    paths: positionals,
    // An IPv6 address stands in brackets, which are not part of it.
    endpoint: { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) },
    connections: readCount('connections', values.connections),
    attempts: readCount('attempts', values.attempts),
  };
}

function readCount(option: string, text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new Error(`--${option} must be a number, 1 or more.`);
}

async function main(): Promise<number> {
  let given: Arguments;
  try {
    given = readArguments();
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const { paths, ...options } = given;
  const display = new Display(process.stdout, process.stderr, () => performance.now());

  const files: OutgoingFile[] = [];
  for (const path of paths) {
    try {
      files.push({ path, size: (await stat(path)).size });
    } catch (error) {
      display.problem(`${path} cannot be sent: ${(error as Error).message}`);
    }
  }

  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupted.abort());
  }
  const { signal } = interrupted;
  const { missing, inDoubt } = await transfer(files, { ...options, signal }, display);

  for (const { path } of missing) display.problem(`NOT stored: ${path}`);
  for (const { path } of inDoubt) {
    display.problem(`${path} may be stored, but no receipt came: sent again, it is there once.`);
  }
  const stored = files.length - missing.length - inDoubt.length;
  display.line(`${stored} of ${paths.length} files are stored.`);
  if (signal.aborted) return 130;
  return stored === paths.length ? 0 : 1;
}

process.exitCode = await main();

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** Several are asked for before the first is used. */
const given = new Set();

/** A port of the loopback on which nobody listens; another one each time. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  if (given.has(port)) return freePort();
  given.add(port);
  return port;
}

/** A command of Node with further options for Node. */
export function withNodeOptions([node, ...args], options) {
  return [node, ...options, ...args];
}

/** A command whose process may have so many files open: the usual limit, 1024, is no match for sockets. */
export function withOpenFiles(command, files) {
  return ['sh', '-c', `ulimit -n ${files} && exec "$0" "$@"`, ...command];
}

/** Whoever this process has started and not seen end: if it fails, they shall not go on. */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * A program that tells what it finds in lines of JSON on its standard output. What it has to say
 * otherwise goes to the error output.
 */
export class PeerProcess {
  #child;
  #lines;

  constructor([command, ...args]) {
    this.command = [command, ...args].join(' ');
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    running.add(child);
    this.exited = once(child, 'exit').then(([code, signal]) => {
      running.delete(child);
      return signal ?? code;
    });
  }

  /** The next line that it prints. */
  async next() {
    const { value, done } = await this.#lines.next();
    if (done)
      throw new Error(`${this.command} ended (${await this.exited}) before it had answered`);
    return JSON.parse(value);
  }

  /** Gives it a line of JSON, and returns the line that it prints next. */
  ask(question) {
    this.#child.stdin.write(`${JSON.stringify(question)}\n`);
    return this.next();
  }

  /** Rejects if it fails; else never settles. */
  async failure() {
    const how = await this.exited;
    if (how !== 0) throw new Error(`${this.command} failed (${how})`);
    return new Promise(() => {});
  }

  /** Ends it, whatever it is doing, unless it has ended. */
  async stop(signal = 'SIGKILL') {
    this.#child.kill(signal);
    await this.exited;
  }
}

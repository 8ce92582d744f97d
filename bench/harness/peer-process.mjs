import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** A port of the loopback on which nobody listens. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * A program that tells what it finds in lines of JSON on its standard output. What it has to say
 * otherwise goes to the error output.
 */
export class PeerProcess {
  #child;
  #lines;

  constructor([command, ...args]) {
    this.command = [command, ...args].join(' ');
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.exited = once(this.#child, 'exit').then(([code, signal]) => signal ?? code);
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

  /** Ends it, whatever it is doing. */
  async stop() {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter, on } from 'node:events';
import { freePort } from '../support/free-port.js';
import { Program } from '../support/project.js';
import type { Outcome, Project } from '../support/project.js';
import { RawPeer } from '../support/raw-peer.js';
import { Screen } from './screen.js';

const MAIN = 'sample/02-chat/main.js';
const CLIENT = 'sample/02-chat/client.js';

/** A chat server in a process of its own, and those who come to it. */
export class Chat {
  readonly port: number;
  readonly server: Program;
  readonly #project: Project;
  readonly #peers: RawPeer[] = [];
  readonly #clients: ChatClient[] = [];

  private constructor(project: Project, port: number) {
    this.#project = project;
    this.port = port;
    this.server = project.start({ file: MAIN, args: [`${port}`] });
  }

  static async start(project: Project): Promise<Chat> {
    const chat = new Chat(project, await freePort());
    await chat.server.prints(`127.0.0.1:${chat.port}`);
    return chat;
  }

  /** Somebody with nothing but a socket, as `nc` would be, who has been asked for a nickname. */
  async visitor(): Promise<RawPeer> {
    const peer = await RawPeer.connect({ host: '127.0.0.1', port: this.port });
    this.#peers.push(peer);
    await peer.sees('What is your nickname?\n');
    return peer;
  }

  /** A visitor who has joined the room. */
  async member(nickname: string): Promise<RawPeer> {
    const peer = await this.visitor();
    peer.write(`${nickname}\n`);
    await peer.sees(`Welcome, ${nickname}`);
    return peer;
  }

  /** The sample's own client. By default it is connected to the server, by pipes. */
  client(options: { args?: string[]; terminal?: { columns: number } } = {}): ChatClient {
    const { args = [`127.0.0.1:${this.port}`], terminal } = options;
    const client = new ChatClient(this.#project, args, terminal);
    this.#clients.push(client);
    return client;
  }

  /** Ends everybody, the server last, by a signal. @returns how the server ended */
  async stop(): Promise<Outcome> {
    await Promise.all(this.#clients.map((client) => client.kill()));
    await Promise.all(this.#peers.map((peer) => peer.destroy()));
    this.server.kill('SIGTERM');
    return this.server.ended;
  }
}

/** The sample's client in a process of its own: with pipes, or in a terminal. */
export class ChatClient {
  readonly program: Program;
  /** What a person sees. */
  readonly screen: Screen;
  readonly #child: ChildProcess;
  readonly #shown = new EventEmitter();

  constructor(project: Project, args: string[], terminal: { columns: number } | undefined) {
    const { columns = 80 } = terminal ?? {};
    const command = [process.execPath, CLIENT, ...args];
    const inTerminal = [
      'python3',
      '-B',
      `${process.cwd()}/test/samples/terminal.py`,
      `${columns}`,
      '24',
    ];
    const [file = '', ...rest] = terminal === undefined ? command : [...inTerminal, ...command];
    this.#child = spawn(file, rest, {
      cwd: project.folder,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, TERM: 'xterm' },
    });
    this.program = new Program(this.#child);
    this.screen = new Screen(columns);
    this.#child.stdout?.on('data', (text: string) => {
      this.screen.write(text);
      this.#shown.emit('change');
    });
    // A program that has ended is typed to in vain.
    this.#child.stdin?.on('error', () => undefined);
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  /** Resolves once the last rows of the screen are these; rejects if it ends otherwise. */
  async shows(...rows: string[]): Promise<void> {
    const isShown = (): boolean =>
      JSON.stringify(this.screen.rows.slice(-rows.length)) === JSON.stringify(rows);
    if (isShown()) return;
    const ended = new AbortController();
    void this.program.ended.then(() => ended.abort());
    try {
      for await (const _ of on(this.#shown, 'change', { signal: ended.signal })) {
        if (isShown()) return;
      }
    } catch {
      throw new Error(`Ended without showing ${rows.join('|')}:\n${this.screen.rows.join('\n')}`);
    }
  }

  /** Ends it at once, if it runs. */
  async kill(): Promise<void> {
    this.program.kill('SIGKILL');
    await this.program.ended;
  }
}

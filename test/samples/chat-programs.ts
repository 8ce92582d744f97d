import { freePort } from '../support/free-port.js';
import type { Outcome, Program, Project } from '../support/project.js';
import { RawPeer } from '../support/raw-peer.js';
import { TypedProgram } from '../support/typed-program.js';

const MAIN = 'sample/02-chat/main.js';
const CLIENT = 'sample/02-chat/client.js';

/** A chat server in a process of its own, and those who come to it. */
export class Chat {
  readonly port: number;
  readonly server: Program;
  readonly #project: Project;
  readonly #peers: RawPeer[] = [];
  readonly #clients: TypedProgram[] = [];

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
  client(options: { args?: string[]; terminal?: { columns: number } } = {}): TypedProgram {
    const { args = [`127.0.0.1:${this.port}`], terminal } = options;
    const command = [process.execPath, CLIENT, ...args];
    const client = new TypedProgram(command, { folder: this.#project.folder, terminal });
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

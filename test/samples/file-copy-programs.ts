import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Endpoint } from 'nestjs-pike/core';
import { freePort } from '../support/free-port.js';
import { Project } from '../support/project.js';
import type { Outcome, Program } from '../support/project.js';
import { createFolders, removeFolders } from '../support/use-folders.js';
import type { Folders } from '../support/use-folders.js';

/** How a server is started: where, with which most bytes of a file, and with which `ulimit`. */
interface ServerOptions {
  port?: number;
  limit?: number;
  ulimit?: string;
}

/** A server in a process of its own, and where it listens. */
export interface FileServer {
  program: Program;
  endpoint: { host: string; port: number };
}

/** The programs of the file copy, and the directories that they copy from and to. */
export class FileCopy {
  readonly outbox: string;
  readonly inbox: string;
  readonly #project: Project;
  readonly #running: Program[] = [];

  private constructor(project: Project, { outbox, inbox }: Folders) {
    this.#project = project;
    this.outbox = outbox;
    this.inbox = inbox;
  }

  /** With empty directories. */
  static async create(project: Project): Promise<FileCopy> {
    return new FileCopy(project, await createFolders());
  }

  async startServer({ port, limit, ulimit }: ServerOptions = {}): Promise<FileServer> {
    const endpoint = { host: '127.0.0.1', port: port ?? (await freePort()) };
    const limits = limit === undefined ? [] : ['--limit', `${limit}`];
    const program = this.#start(
      'main.js',
      [this.inbox, '--port', `${endpoint.port}`, ...limits],
      ulimit,
    );
    await program.prints('Storing files in');
    return { program, endpoint };
  }

  startSender(endpoint: Endpoint, ...args: string[]): Program {
    const { host, port } = endpoint as FileServer['endpoint'];
    return this.#start('send.js', ['--to', `${host}:${port}`, ...args]);
  }

  /** A sender that tries once. */
  send(endpoint: Endpoint, ...args: string[]): Promise<Outcome> {
    return this.startSender(endpoint, '--attempts', '1', ...args).ended;
  }

  /** A file to be sent. @returns its path */
  async file(name: string, content: Uint8Array | string): Promise<string> {
    const path = join(this.outbox, name);
    await writeFile(path, content);
    return path;
  }

  /** What the server has stored under a name. */
  stored(name: string): Promise<Buffer> {
    return readFile(join(this.inbox, name));
  }

  /** Everything that there is in the server's directory. */
  async storedNames(): Promise<string[]> {
    return (await readdir(this.inbox)).sort();
  }

  /** How many bytes of each file that is on its way are there. */
  partSizes(): number[] {
    return readdirSync(this.inbox).flatMap((name) => {
      if (!name.endsWith('.part')) return [];
      // It may be deleted at this moment.
      const stats = statSync(join(this.inbox, name), { throwIfNoEntry: false });
      return stats === undefined ? [] : [stats.size];
    });
  }

  /** Ends the programs, and removes the directories. */
  async end(): Promise<void> {
    for (const program of this.#running.splice(0)) {
      program.kill('SIGKILL');
      await program.ended;
    }
    await removeFolders(this);
  }

  #start(file: string, args: string[], ulimit?: string): Program {
    const program = this.#project.start({ file: `sample/03-file-copy/${file}`, args, ulimit });
    this.#running.push(program);
    return program;
  }
}

export function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Has a project for all tests of a file, and a file copy of its own for each. @param use given the next one */
export function useFileCopy(use: (copy: FileCopy) => void): void {
  let project: Project;
  let copy: FileCopy;
  beforeAll(async () => {
    project = await Project.create();
    await project.addFolder('sample/03-file-copy');
  });
  afterAll(() => project.remove());
  beforeEach(async () => {
    copy = await FileCopy.create(project);
    use(copy);
  });
  afterEach(() => copy.end());
}

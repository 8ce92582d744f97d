import { transform } from '@swc/core';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const ROOT = process.cwd();

/** How Node is started. */
interface NodeOptions {
  /** Options for Node itself. */
  nodeArgs?: string[];
  /** The most that the system gives the process, as the shell's `ulimit` takes it: `'-n 64'`. */
  ulimit?: string;
}

/** How a program ended. */
export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/**
 * A user's own project in a folder of its own, with this package as it stands now in its
 * `node_modules`: for what only a whole process shows, such as an exit status, a signal or an
 * uncaught exception, and for programs that a reader would copy.
 */
export class Project {
  readonly folder: string;
  readonly #running = new Set<Program>();

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<Project> {
    // Inside the repository, so that Nest and the others are found where they are installed.
    const build = join(ROOT, '.build');
    await mkdir(build, { recursive: true });
    const folder = await mkdtemp(join(build, 'project-'));
    const project = new Project(folder);
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    const entry = (path: string): string => `./${path}index.js`;
    await project.#compileFolder(join(ROOT, 'src'), 'node_modules/nestjs-pike');
    await writeFile(
      join(folder, 'node_modules/nestjs-pike/package.json'),
      JSON.stringify({
        type: 'module',
        exports: {
          '.': entry(''),
          './core': entry('core/'),
          './converters': entry('converters/'),
          './opentelemetry': entry('opentelemetry/'),
          './terminus': entry('terminus/'),
          './testing': entry('testing/'),
        },
      }),
    );
    return project;
  }

  /** Adds a TypeScript file, compiled and as it is. */
  async add(name: string, code: string): Promise<void> {
    const target = join(this.folder, name);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, code);
    await writeFile(target.replace(/\.ts$/, '.js'), await compile(code));
  }

  /** Adds the TypeScript files of a folder of the repository, under the same path. */
  async addFolder(path: string): Promise<void> {
    await this.#compileFolder(join(ROOT, path), path);
  }

  /** Starts a program: a file of the project, or the code of an ES module. */
  start(program: ({ file: string; args?: string[] } | { code: string }) & NodeOptions): Program {
    const args =
      'code' in program
        ? ['--input-type=module', '--eval', program.code]
        : [program.file, ...(program.args ?? [])];
    const node = [process.execPath, ...(program.nodeArgs ?? []), ...args];
    const [command, ...rest] =
      program.ulimit === undefined
        ? node
        : ['sh', '-c', `ulimit ${program.ulimit} && exec "$0" "$@"`, ...node];
    const child = spawn(command as string, rest, {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    const running = new Program(child);
    this.#running.add(running);
    void running.ended.finally(() => this.#running.delete(running));
    return running;
  }

  /** Runs a program to its end. */
  run(
    program: ({ file: string; args?: string[] } | { code: string }) & NodeOptions,
  ): Promise<Outcome> {
    return this.start(program).ended;
  }

  /** Ends what still runs, and removes the folder. */
  async remove(): Promise<void> {
    await Promise.all(
      Array.from(this.#running, (program) => {
        program.kill('SIGKILL');
        return program.ended;
      }),
    );
    await rm(this.folder, { recursive: true });
  }

  async #compileFolder(from: string, to: string): Promise<void> {
    const names = await readdir(from, { recursive: true });
    const sources = names.filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
    await Promise.all(
      sources.map(async (name) => {
        const target = join(this.folder, to, name.replace(/\.ts$/, '.js'));
        await mkdir(dirname(target), { recursive: true });
        await writeFile(target, await compile(await readFile(join(from, name), 'utf8')));
      }),
    );
  }
}

/** A program that is running. */
export class Program {
  readonly ended: Promise<Outcome>;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.ended = new Promise((resolve) =>
      child.once('close', (code, signal) =>
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr }),
      ),
    );
  }

  /** The system's number of the process. */
  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('The program could not be started.');
    return this.#child.pid;
  }

  /** Resolves once the program has printed a text; rejects if it ends before. */
  async prints(text: string): Promise<void> {
    await this.#until(() => (this.#stdout.includes(text) ? true : undefined), `"${text}"`);
  }

  /** Resolves once what it has printed matches; rejects if it ends before. */
  matches(pattern: RegExp): Promise<RegExpMatchArray> {
    return this.#until(() => this.#stdout.match(pattern) ?? undefined, String(pattern));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async #until<Found>(look: () => Found | undefined, wanted: string): Promise<Found> {
    let end: Outcome | undefined;
    void this.ended.then((outcome) => (end = outcome));
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (end !== undefined) {
        throw new Error(`Ended without printing ${wanted}: ${this.#stdout}\n${this.#stderr}`);
      }
      await Promise.race([this.#nextOutput(), this.ended]);
    }
  }

  #nextOutput(): Promise<void> {
    return new Promise((resolve) => this.#child.stdout?.once('data', () => resolve()));
  }
}

async function compile(code: string): Promise<string> {
  const compiled = await transform(code, {
    swcrc: false,
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: {
        legacyDecorator: true,
        decoratorMetadata: true,
        verbatimModuleSyntax: true,
      },
    },
  });
  return compiled.code;
}

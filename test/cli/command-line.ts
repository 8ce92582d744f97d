import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { pythonVersion, withoutPython } from '../interop/python.js';
import { Project } from '../support/project.js';
import type { Outcome } from '../support/project.js';
import { TypedProgram } from '../support/typed-program.js';

const MAIN = 'node_modules/nestjs-pike/cli/main.js';

/** What a command is given, beside its arguments. */
export interface RunOptions {
  /** Its standard input. */
  input?: string | Buffer;
  env?: Readonly<Record<string, string>>;
  /** Starts it in a terminal. */
  terminal?: { columns: number };
}

/** The command line of the package as it stands now, run as programs in a user's own project. */
export class CommandLine {
  readonly project: Project;
  readonly #started: TypedProgram[] = [];

  private constructor(project: Project) {
    this.project = project;
  }

  static async create(): Promise<CommandLine> {
    return new CommandLine(await Project.create());
  }

  /** Starts a command. Its input stays open. */
  start(args: readonly string[], { env, terminal }: Omit<RunOptions, 'input'> = {}): TypedProgram {
    const started = new TypedProgram([process.execPath, MAIN, ...args], {
      folder: this.project.folder,
      terminal,
      env: { XDG_STATE_HOME: join(this.project.folder, 'state'), ...env },
    });
    this.#started.push(started);
    return started;
  }

  /** Starts a command of the shell, in which `pike` is the command line. */
  shell(script: string): TypedProgram {
    const withPike = `pike() { '${process.execPath}' ${MAIN} "$@"; }; ${script}`;
    const started = new TypedProgram(['bash', '-c', withPike], {
      folder: this.project.folder,
    });
    this.#started.push(started);
    return started;
  }

  /** Runs a command to its end. */
  async run(
    args: readonly string[],
    { input = '', ...options }: RunOptions = {},
  ): Promise<Outcome> {
    const started = this.start(args, options);
    started.type(input);
    started.endInput();
    return started.program.ended;
  }

  /** Ends what still runs, and removes the project. */
  async remove(): Promise<void> {
    await Promise.all(this.#started.map((program) => program.kill()));
    await this.project.remove();
  }
}

/** A program that has done what it was to do. */
export function done(stdout: string): Outcome {
  return { code: 0, signal: null, stdout, stderr: '' };
}

/** A program that has failed, and has said so in one line. */
export function failed(code: number, stderr: unknown, stdout: unknown = ''): unknown {
  return { code, signal: null, stdout, stderr };
}

/** A suite that needs Python: as a peer, or for a terminal. Without it, only a test that says so. */
export function describeWithPython(name: string, tests: () => void): void {
  if (pythonVersion() !== undefined) {
    describe(name, tests);
    return;
  }
  it(`${name}: needs Python`, () => {
    const mustRun = process.env['CI'] === 'true';
    const untested = `test/cli: NOT TESTED: ${name}`;
    expect(withoutPython({ mustRun, untested })).toContain(untested);
  });
}

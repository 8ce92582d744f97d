import { transform } from '@swc/core';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const SOURCE = join(process.cwd(), 'src', 'core');

/** How a program ended. */
export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/**
 * The core, compiled to a folder of its own, to run in processes of their own: for what only a
 * whole process shows, such as an uncaught exception, or whether it exits by itself.
 */
export class CorePrograms {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async build(): Promise<CorePrograms> {
    const folder = await mkdtemp(join(tmpdir(), 'pike-program-'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    const files = await readdir(SOURCE, { recursive: true });
    const sources = files.filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
    await Promise.all(sources.map((name) => compile(name, folder)));
    return new CorePrograms(folder);
  }

  /** Runs an ES module that imports `nestjs-pike/core` as `./index.js`, to its end. */
  async run(program: string): Promise<Outcome> {
    const file = join(this.#folder, 'program.mjs');
    await writeFile(file, program);
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    return new Promise((resolve) =>
      child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
    );
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

async function compile(name: string, folder: string): Promise<void> {
  const { code } = await transform(await readFile(join(SOURCE, name), 'utf8'), {
    swcrc: false,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
  });
  const target = join(folder, name.replace(/\.ts$/, '.js'));
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, code);
}

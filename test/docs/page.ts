import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Project } from '../support/project.js';

/** A fenced block of a page: its language, the words behind it, its content. */
interface Block {
  language: string;
  attribute: string;
  content: string;
}

/**
 * A page whose examples are programs. A block of code says its name (`ts file=name.ts`), and one
 * of text may say what a program prints (`text output=name.ts`). So may commands of a shell, where
 * they are to be run (`sh file=name.sh`).
 */
export class Page {
  /** The programs and their parts: code by file name. */
  readonly files = new Map<string, string>();
  /** Commands of a shell, by file name. */
  readonly scripts = new Map<string, string>();
  /** Settings of tools, by file name. */
  readonly settings = new Map<string, string>();
  /** What programs and commands print, by file name. */
  readonly outputs = new Map<string, string>();

  /** @param ports what to write instead of the page's ports, so that they are free */
  static async read(path: string, ports: Readonly<Record<string, number>> = {}): Promise<Page> {
    let text = await readFile(path, 'utf8');
    for (const [port, free] of Object.entries(ports)) text = text.replaceAll(port, `${free}`);
    return new Page(text);
  }

  private constructor(text: string) {
    for (const block of blocksOf(text)) this.#add(block);
    for (const name of this.outputs.keys()) {
      if (!this.files.has(name) && !this.scripts.has(name))
        throw new Error(`There is the output of ${name}, but no such file.`);
    }
  }

  /** The programs that are test files: for `node --test`. */
  get tests(): string[] {
    return [...this.files.keys()].filter((name) => name.endsWith('.test.ts'));
  }

  /** The files that neither run nor are imported by one that does. */
  get idle(): string[] {
    const reached = new Set([...this.outputs.keys(), ...this.tests]);
    // A set that grows while it is walked through is walked through to its end.
    for (const name of reached) {
      for (const [, module] of (this.files.get(name) ?? '').matchAll(/from '\.\/(.*)\.js'/g)) {
        reached.add(`${module}.ts`);
      }
    }
    return [...this.files.keys()].filter((name) => !reached.has(name));
  }

  /** Puts the files into a project, compiled. */
  async addTo(project: Project): Promise<void> {
    for (const [name, code] of this.files) await project.add(name, code);
  }

  #add({ language, attribute, content }: Block): void {
    const [kind, name = ''] = attribute.split('=');
    if (['ts', 'js', 'typescript', 'javascript', 'mjs'].includes(language)) {
      if (language !== 'ts' || kind !== 'file' || !name.endsWith('.ts')) {
        throw new Error(`Code that nobody compiles; write \`\`\`ts file=name.ts: ${content}`);
      }
      this.files.set(name, content);
    } else if (language === 'sh' && kind === 'file') {
      this.scripts.set(name, content);
    } else if (language === 'json' && kind === 'file') {
      this.settings.set(name, content);
    } else if (kind === 'output') {
      this.outputs.set(name, content);
    }
  }
}

/** What the compiler has to say about the files in a project's folder; nothing, if all is well. */
export async function problemsIn(project: Project): Promise<string> {
  await writeFile(
    join(project.folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', include: ['*.ts'], exclude: [] }),
  );
  return compilerSays('--project', project.folder);
}

/** What the compiler, called with these arguments, has to say; nothing, if all is well. */
export async function compilerSays(...args: string[]): Promise<string> {
  const compiler = join(process.cwd(), 'node_modules', 'typescript', 'bin', 'tsc');
  const child = spawn(process.execPath, [compiler, ...args]);
  let problems = '';
  child.stdout.on('data', (text: Buffer) => (problems += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return code === 0 ? problems : `${problems}exit status ${code}`;
}

function blocksOf(page: string): Block[] {
  return Array.from(page.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm), (match) => ({
    language: match[1] as string,
    attribute: match[2] as string,
    content: match[3] as string,
  }));
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Project } from './project.js';

interface Block {
  language: string;
  attribute: string;
  content: string;
}

/** The project of a reader who copies the code of a page, block by block. */
export class DocumentedProject {
  readonly project: Project;
  readonly files = new Set<string>();
  /** What the page says that a program prints, by its compiled file. */
  readonly outputs = new Map<string, string>();

  private constructor(project: Project) {
    this.project = project;
  }

  /**
   * @param path the page
   * @param ports what to put in the place of the ports that it names
   * @throws if code is in a block that names no file
   */
  static async create(
    path: string,
    ports: Readonly<Record<string, number>>,
  ): Promise<DocumentedProject> {
    let page = await readFile(path, 'utf8');
    for (const [written, real] of Object.entries(ports)) page = page.replaceAll(written, `${real}`);
    const documented = new DocumentedProject(await Project.create());
    for (const block of blocksOf(page)) await documented.#add(block);
    return documented;
  }

  /** Type-checks everything: what the compiler has to say. */
  async problems(): Promise<string> {
    const { folder } = this.project;
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: '../../tsconfig.json', include: ['*.ts'], exclude: [] }),
    );
    const compiler = join(process.cwd(), 'node_modules', 'typescript', 'bin', 'tsc');
    const child = spawn(process.execPath, [compiler, '--project', folder]);
    let problems = '';
    child.stdout.on('data', (text: Buffer) => (problems += text.toString()));
    const [code] = (await once(child, 'close')) as [number];
    return code === 0 ? problems : `${problems}\nexit status ${code}`;
  }

  async #add({ language, attribute, content }: Block): Promise<void> {
    const [kind, name = ''] = attribute.split('=');
    if (language === 'ts') {
      if (kind !== 'file' || !name.endsWith('.ts')) throw new Error(`No file: ${attribute}`);
      this.files.add(name);
      await this.project.add(name, content);
    } else if (kind === 'output') {
      this.outputs.set(name.replace(/\.ts$/, '.js'), content);
    }
  }
}

/** The fenced code blocks of a page: language, the word behind it, content. */
function blocksOf(page: string): Block[] {
  return Array.from(page.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)^```$/gm), (match) => ({
    language: match[1] as string,
    attribute: match[2] as string,
    content: match[3] as string,
  }));
}

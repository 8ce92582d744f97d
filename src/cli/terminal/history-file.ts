import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

/** How many lines are kept. */
const MOST_LINES = 1_000;

/** Where the history is: in the state folder of the XDG Base Directory Specification. */
export function historyPath(): string {
  const { XDG_STATE_HOME: state = '' } = process.env;
  // The specification has it that a relative path is to be ignored.
  const folder = isAbsolute(state) ? state : join(homedir(), '.local', 'state');
  return join(folder, 'nestjs-pike', 'history');
}

/** The lines that were typed, oldest first, in a file that only its owner can read: they may hold secrets. */
export class HistoryFile {
  readonly #path: string;
  readonly #failed: (error: unknown) => void;
  #last: string | undefined;
  /** What is being written, one after the other. */
  #writing: Promise<void> = Promise.resolve();

  /** @param failed told if the file cannot be read or written; the history is not kept then */
  constructor(path: string, failed: (error: unknown) => void) {
    this.#path = path;
    this.#failed = failed;
  }

  /** The lines, newest first, as `readline` has them. */
  async load(): Promise<string[]> {
    const lines = (await this.#read()).split('\n').filter((line) => line !== '');
    const kept = lines.slice(-MOST_LINES);
    if (kept.length < lines.length) await this.#write(() => this.#replace(kept));
    this.#last = kept.at(-1);
    return kept.reverse();
  }

  /** Adds a line, unless it is blank, or the same as the one before. */
  add(line: string): void {
    if (line.trim() === '' || line === this.#last) return;
    this.#last = line;
    void this.#write(async () => {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      await appendFile(this.#path, `${line}\n`, { mode: 0o600 });
    });
  }

  /** Resolves once everything is written. */
  saved(): Promise<void> {
    return this.#writing;
  }

  async #read(): Promise<string> {
    try {
      return await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#failed(error);
      return '';
    }
  }

  #replace(lines: readonly string[]): Promise<void> {
    return writeFile(this.#path, `${lines.join('\n')}\n`, { mode: 0o600 });
  }

  #write(work: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(work).catch((error: unknown) => this.#failed(error));
    return this.#writing;
  }
}

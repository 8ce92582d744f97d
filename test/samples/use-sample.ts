import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { freePort } from '../support/free-port.js';
import { Project } from '../support/project.js';
import type { Program } from '../support/project.js';

/** Starting processes takes its time on a busy machine. */
export const PATIENCE = 60_000;

/** The program of a sample, in a project with nothing else. */
export interface RunningSample {
  readonly project: Project;
  readonly program: Program;
  /** Where it listens, on 127.0.0.1: what it was told. */
  readonly ports: readonly number[];
}

/**
 * Has the program of a sample run for all tests of a file.
 * @param portCount how many ports it is to be told; it is there when it prints the last
 * @param use given it, before the first test
 * @returns has something called after the test, the last first
 */
export function useSample(
  name: string,
  portCount: number,
  use: (sample: RunningSample) => void,
): (close: () => unknown) => void {
  let project: Project;
  const closers: (() => unknown)[] = [];
  beforeAll(async () => {
    project = await Project.create();
    await project.addFolder(`sample/${name}`);
    const ports: number[] = [];
    while (ports.length < portCount) ports.push(await freePort());
    const program = project.start({ file: `sample/${name}/main.js`, args: ports.map(String) });
    await program.prints(`127.0.0.1:${ports.at(-1)}`);
    use({ project, program, ports });
  }, PATIENCE);
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  afterAll(() => project.remove());
  return (close) => void closers.push(close);
}

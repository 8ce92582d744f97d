import { spawnSync } from 'node:child_process';

/** A program that is not Node's, which a suite speaks with. */
export interface OtherProgram {
  /** What is typed to run it. */
  name: string;
  /** What is to be installed where it is missing, as Debian calls it. */
  install: string;
}

/** Whether a program can be run on this machine. */
export function isInstalled({ name }: OtherProgram): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/**
 * What a suite does without the program: on a machine where everything must run, it fails; elsewhere
 * it says what was not tested, and goes on. A newcomer needs nothing but Node.
 * @param untested what is not tested, as `test/interop: NOT TESTED against Python`
 */
export function without(
  { name, install }: OtherProgram,
  { mustRun, untested }: { mustRun: boolean; untested: string },
): string {
  const message = `${untested}, since there is no ${name} here. CI tests it.`;
  if (mustRun) throw new Error(`${message} This is CI: install ${install}.`);
  return message;
}

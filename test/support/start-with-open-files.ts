import { spawn } from 'node:child_process';
import { Program } from './project.js';
import type { Project } from './project.js';

/**
 * Starts the code of an ES module, in the folder of a project, with the limit of open files that it
 * needs: the usual one, 1024, is too low for thousands of sockets. Fails if the system forbids it.
 */
export function startWithOpenFiles(
  project: Project,
  { code, files, nodeArgs = [] }: { code: string; files: number; nodeArgs?: string[] },
): Program {
  const child = spawn(
    'sh',
    [
      '-c',
      `ulimit -n ${files} && exec "$0" "$@"`,
      process.execPath,
      ...nodeArgs,
      '--input-type=module',
      '--eval',
      code,
    ],
    { cwd: project.folder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  return new Program(child);
}

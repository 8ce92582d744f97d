import { spawn, spawnSync } from 'node:child_process';
import { freePort } from '../support/free-port.js';
import { without } from '../support/other-programs.js';
import { Program } from '../support/project.js';

const PEER = 'test/interop/pike_peer.py';

/** What the peer in Python can speak. */
export type Kind = 'bool' | 'int' | 'float' | 'string';

/** How a peer is started. */
export interface PeerOptions {
  kind: Kind;
  /** What is made of a message. */
  reply: 'echo' | 'double';
  port: number;
  /** Whether each byte is given to the system by itself. */
  byteByByte?: boolean;
  /** How often a client sends its values. Default: once. */
  times?: number;
  /** To be sent instead of the awkward values. */
  numbers?: readonly number[];
}

/** The version of the Python 3 of this machine, or `undefined` if it has none. */
export function pythonVersion(): string | undefined {
  // An older one prints it elsewhere, and a command that is not Python prints something else.
  const { stdout } = spawnSync('python3', ['--version'], { encoding: 'utf8' });
  return stdout?.match(/^Python (3\S+)/)?.[1];
}

/** What a suite does without Python, see {@link without}. */
export function withoutPython({
  mustRun,
  untested = 'test/interop: NOT TESTED against Python',
}: {
  mustRun: boolean;
  untested?: string;
}): string {
  return without({ name: 'python3', install: 'python3' }, { mustRun, untested });
}

/** Starts a server in Python on a free port, for one connection. */
export async function servePython(options: Omit<PeerOptions, 'port'>): Promise<PythonServer> {
  const port = await freePort();
  const program = startPython('serve', { ...options, port });
  await program.prints(`listening on ${port}`);
  return { program, endpoint: { host: '127.0.0.1', port } };
}

/** A server in Python; its program exits when its client has ended. */
export interface PythonServer {
  program: Program;
  endpoint: { host: string; port: number };
}

/** Starts a client in Python. It prints how many replies were right, and exits. */
export function callFromPython(options: PeerOptions): Program {
  return startPython('call', options);
}

function startPython(role: 'serve' | 'call', options: PeerOptions): Program {
  const { kind, reply, port, byteByByte = false, times = 1, numbers = [] } = options;
  const args = [
    // Writes no compiled files beside the source.
    '-B',
    PEER,
    `--times=${times}`,
    ...(byteByByte ? ['--byte-by-byte'] : []),
    role,
    kind,
    reply,
    `${port}`,
    // Behind it a negative number is no option.
    '--',
    ...numbers.map(String),
  ];
  return new Program(spawn('python3', args, { stdio: ['ignore', 'pipe', 'pipe'] }));
}

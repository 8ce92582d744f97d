import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { outputOf, ownVersion, packageVersion } from '../harness/machine.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const node = (file, ...more) => ({ command: [process.execPath, path(file)], more });
const python = (file) => ({ command: ['/usr/bin/python3', path(file)], more: [] });
const pythonVersion = (module, attribute) =>
  outputOf('/usr/bin/python3', '-c', `import ${module}; print(${module}.${attribute})`);
const zmq = fileURLToPath(new URL('../../.build/bench/zmq', import.meta.url));

/** The most that Node can do. */
export const CEILING = {
  name: 'node:net, batched by hand',
  version: process.version,
  ...node('net.mjs'),
};

/** This package, by the kind of its converter. */
export const OURS = {
  framed: {
    name: 'nestjs-pike, FramedConverter',
    version: ownVersion,
    ...node('pike.mjs', 'framed'),
  },
  object: {
    name: 'nestjs-pike, object per message',
    version: ownVersion,
    ...node('pike.mjs', 'object'),
  },
};

/** Everybody in the comparison. `version` is `undefined` where a peer is not installed. */
export const PEERS = [
  CEILING,
  OURS.framed,
  OURS.object,
  {
    name: 'libzmq in C',
    version: existsSync(zmq) ? outputOf('pkg-config', '--modversion', 'libzmq') : undefined,
    command: [zmq],
    more: [],
  },
  {
    name: 'Twisted',
    version: pythonVersion('twisted', '__version__'),
    ...python('peers/twisted_peer.py'),
  },
  {
    name: 'tornado',
    version: pythonVersion('tornado', 'version'),
    ...python('peers/tornado_peer.py'),
  },
  { name: 'zeromq.js', version: packageVersion('zeromq'), ...node('peers/zeromq.mjs') },
  { name: 'ws', version: packageVersion('ws'), ...node('peers/ws.mjs') },
];

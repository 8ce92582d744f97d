import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tcp } from './tcp.js';
import type { Transport } from './transport.js';

/** As TCP, at a path in a folder of its own. */
export const unix: Transport = {
  ...tcp,
  name: 'unix-domain sockets',
  facts: {
    ...tcp.facts,
    resets: false,
    refusal: 'ENOENT',
    leavesUnanswered: false,
    overflow: 1_000_000,
  },
  async findPlace() {
    const folder = await mkdtemp(join(tmpdir(), 'pike-'));
    return {
      endpoint: { path: join(folder, 'socket') },
      remove: () => rm(folder, { recursive: true }),
    };
  },
};

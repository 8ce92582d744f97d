// The other ends of idle connections: `node peers.mjs <port>`. Each line that it reads is a number of
// connections to open, besides those that are there; answered when they are.
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { answerAll } from '../harness/questions.mjs';

/** How many connect at a time: fewer than the server's backlog. */
const AT_A_TIME = 100;
const port = Number(process.argv[2]);
const sockets = [];
await answerAll(async (count) => {
  for (let left = count; left > 0; left -= AT_A_TIME) {
    const some = Array.from({ length: Math.min(left, AT_A_TIME) }, () =>
      createConnection({ host: '127.0.0.1', port }),
    );
    await Promise.all(some.map((socket) => once(socket, 'connect')));
    sockets.push(...some);
  }
  return sockets.length;
});

// A peer that does not read. It tells its port; any line that it reads has it read what the latest
// connection brought, to its end, and answer with the number of bytes.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { answerAll, tell } from '../harness/questions.mjs';

let latest;
const server = createServer({ pauseOnConnect: true }, (socket) => {
  latest = socket;
});
await once(server.listen(0, '127.0.0.1'), 'listening');
tell(server.address().port);
await answerAll(async () => {
  latest.resume();
  await once(latest, 'close');
  return latest.bytesRead;
});

// Who sends on many connections: `node sender.mjs <pike|net> <port> <connections>`. Each line that it
// reads is a task, `{ perTurn, turns }`: in each turn of the event loop, `perTurn` messages on each connection.
// It answers with the processor time that it took, in ms.
import { answerAll, cpuMs, tell } from '../harness/questions.mjs';
import { createMessages } from '../one-way/load.mjs';
import { SIZE, WINDOW } from './load.mjs';

const [transport, port, connectionCount] = process.argv.slice(2);
const count = Number(connectionCount);
const { Connections } = await import(`./${transport}.mjs`);
const connections = new Connections();
const messages = createMessages(SIZE);
let [sent, acknowledged] = [0, 0];
let go;

await connections.open(Number(port), count, (received) => {
  acknowledged = received;
  if (go !== undefined && sent - acknowledged <= WINDOW) go();
});
tell('ready');
await answerAll(async ({ perTurn, turns }) => {
  const before = process.cpuUsage();
  await new Promise((resolve) => {
    let left = turns;
    const turn = () => {
      go = undefined;
      connections.send(messages, perTurn, sent);
      sent += perTurn * count;
      if (--left === 0) resolve();
      else if (sent - acknowledged <= WINDOW) setImmediate(turn);
      else go = turn;
    };
    turn();
  });
  return cpuMs(before);
});

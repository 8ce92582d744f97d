import { PeerProcess, freePort, withNodeOptions } from '../harness/peer-process.mjs';
import { expectedChecksum } from './load.mjs';

/**
 * Sends messages from one process to another.
 * @param peer one of `PEERS`
 * @param size of a message, in bytes
 * @param warmUp how many are sent before the clock starts
 * @param count how many are sent then
 * @param nodeOptions of the receiver and of the sender, if they are programs for Node
 * @param ending the signal that ends them
 * @returns how long the receiver took for them, in ms
 */
export async function sendOneWay(
  { command, more },
  { size, warmUp, count },
  { nodeOptions, ending } = {},
) {
  const port = await freePort();
  const args = [`${port}`, `${size}`, `${warmUp}`, `${count}`, ...more];
  const start = (role) => {
    const options = nodeOptions?.[role];
    const program = options === undefined ? command : withNodeOptions(command, options);
    return new PeerProcess([...program, role, ...args]);
  };
  const receiver = start('receiver');
  await receiver.next();
  const sender = start('sender');
  const { ms, checksum } = await Promise.race([receiver.next(), sender.failure()]);
  await Promise.all([sender.stop(ending), receiver.stop(ending)]);
  const expected = expectedChecksum(warmUp + count);
  if (checksum !== expected) throw new Error(`${command.join(' ')}: ${checksum}, not ${expected}`);
  return ms;
}

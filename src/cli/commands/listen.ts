import { NetConnector, showEndpoint } from '../../core/index.js';
import type { Connection } from '../../core/index.js';
import { CLOSING_DEADLINE } from '../closing-deadline.js';
import type { CommandContext } from '../command-context.js';
import { usageError } from '../failure.js';
import { onAbort } from '../interrupt.js';
import { StandingReply } from '../protocols/standing-reply.js';
import { describeHappening, happeningAsJson } from '../show-event.js';
import type { Happening } from '../show-event.js';
import { painter } from '../styles.js';
import { readTarget } from '../target.js';
import type { TargetOptions } from '../target.js';

/** The options of `listen`. */
export interface ListenOptions extends TargetOptions {
  json?: true;
  reply?: string;
}

/** Accepts every peer, and prints what happens, until an interrupt. */
export async function listen(
  address: string,
  options: ListenOptions,
  { interrupt, warn }: CommandContext,
): Promise<void> {
  const { endpoint, protocol, connector: settings } = await readTarget(address, options, 0);
  if (settings.tls !== undefined && settings.tls.cert === undefined) {
    throw usageError('Listening with TLS needs a certificate: give --cert and --key.');
  }
  const typedReply = options.reply;
  const reply = typedReply === undefined ? undefined : protocol.format.parse(typedReply);
  const standing = new StandingReply(protocol, reply);
  const connector = new NetConnector({ converter: protocol.converter, ...endpoint, ...settings });
  const print = printer(options.json === true);

  await connector.run();
  onAbort(
    interrupt.signal,
    () => void connector.shutdown({ finishQueues: true, deadline: CLOSING_DEADLINE }),
  );
  const { address: bound = endpoint } = connector;
  print({ type: 'listening', address: showEndpoint(bound) });

  const answer = async (connection: Connection, message: unknown): Promise<void> => {
    try {
      const replied = await standing.to(message);
      if (replied === undefined) return;
      connector.send(connection, replied);
      print({ type: 'replied', connection, message: replied });
    } catch (thrown) {
      warn(thrown);
    }
  };
  for await (const event of connector) {
    print(event);
    if (event.type === 'remoteConnect') event.finishAccept();
    if (event.type === 'messageReceived') await answer(event.connection, event.message);
  }
}

function printer(asJson: boolean): (happening: Happening) => void {
  const paint = painter(process.stdout);
  return (happening) => {
    const line = asJson ? happeningAsJson(happening) : describeHappening(happening, paint);
    process.stdout.write(`${line}\n`);
  };
}

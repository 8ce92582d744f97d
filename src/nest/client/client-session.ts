import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import { describeThrown, isPikeError, PikeError } from '../../core/errors.js';
import { Dispatcher } from '../handling/dispatcher.js';
import { Runs } from '../handling/runs.js';
import type { IncomingPacket } from '../packets/packets.js';
import { Session } from '../session/session.js';
import type { SessionSettings } from '../session/session-settings.js';

/** What the session of a client tells. */
export interface ClientSessionHost {
  /** The server has sent an event. */
  unsolicited(packet: IncomingPacket): void;
  /** The server cannot be trusted: the connection is being ended. */
  failed(error: PikeError): void;
  /** Something failed that no caller waits for. */
  warn(error: unknown): void;
}

/** The session of a client, which has no handlers: what the server requests of it is answered so. */
export function createClientSession<T>(
  connector: Connector<T>,
  settings: SessionSettings<T>,
  connection: Connection,
  host: ClientSessionHost,
): Session<T> {
  const warn = (error: unknown): void => host.warn(error);
  const dispatcher = new Dispatcher(connector, NO_HANDLERS, new Runs());
  // Where replies come in order a server cannot ask: what it sends unasked is an event.
  const answers = settings.correlation === 'id';
  return new Session<T>(
    {
      connector,
      settings,
      dispatch: (session, packet) => {
        const isEvent = packet.cancel !== true && (packet.id === undefined || !answers);
        if (isEvent) host.unsolicited(packet);
        else dispatcher.dispatch(session, packet);
      },
      fail: (session, error) => {
        warn(error);
        host.failed(asFault(error));
        session.end();
        connector.disconnect(session.connection, { now: true });
      },
      warn,
      report: warn,
    },
    connection,
  );
}

const NO_HANDLERS = {
  findHandler: () => null,
  noEventHandler: () => undefined,
  process: () => undefined,
  report: () => undefined,
};

/** What the requests of the connection fail with. */
function asFault(thrown: unknown): PikeError {
  if (isPikeError(thrown)) return thrown;
  return new PikeError(
    'PIKE_ERR_DESERIALIZER',
    `The deserializer failed: ${describeThrown(thrown)}`,
    { cause: thrown },
  );
}

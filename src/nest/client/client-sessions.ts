import type { Connector } from '../../core/connector.js';
import { Dispatcher } from '../handling/dispatcher.js';
import { Runs } from '../handling/runs.js';
import type { IncomingPacket } from '../packets/packets.js';
import { Groups } from '../push/groups.js';
import { faultOf } from '../session/fault.js';
import { Sessions } from '../session/sessions.js';
import type { SessionSettings } from '../session/session-settings.js';

/** What the sessions of a client tell. */
export interface ClientSessionHost {
  /** The server has sent an event. */
  unsolicited(packet: IncomingPacket): void;
  /** Something failed that no caller waits for. */
  warn(error: unknown): void;
}

/** The sessions of a client, which has no handlers: what the server requests of it is answered so. */
export function createClientSessions<T>(
  connector: Connector<T>,
  settings: SessionSettings<T>,
  host: ClientSessionHost,
): Sessions<T> {
  const warn = (error: unknown): void => host.warn(error);
  const dispatcher = new Dispatcher(connector, NO_HANDLERS, new Runs());
  // Where replies come in order a server cannot ask: what it sends unasked is an event.
  const answers = settings.correlation === 'id';
  return new Sessions<T>({
    connector,
    settings,
    groups: new Groups(),
    dispatch: (session, packet) => {
      const isEvent = packet.cancel !== true && (packet.id === undefined || !answers);
      if (isEvent) host.unsolicited(packet);
      else dispatcher.dispatch(session, packet);
    },
    fail: (session, error) => {
      warn(error);
      session.end();
      connector.disconnect(session.connection, { now: true }, faultOf(error));
    },
    warn,
    report: warn,
  });
}

const NO_HANDLERS = {
  findHandler: () => null,
  spelled: (pattern: string) => pattern,
  hooked: false,
  noEventHandler: () => undefined,
  process: () => undefined,
  report: () => undefined,
};

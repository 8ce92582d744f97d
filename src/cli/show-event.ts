import { isPikeError, showEndpoint } from '../core/index.js';
import type { ConnectorEvent } from '../core/index.js';
import { showValue } from './show-value.js';
import type { Paint } from './styles.js';

/** What `listen` prints, a line each: the events of its connector, and what it does itself. */
export type Happening =
  | ConnectorEvent
  | { type: 'listening'; address: string }
  | { type: 'replied'; connection: ConnectorEvent['connection']; message: unknown };

/** For people. */
export function describeHappening(happening: Happening, paint: Paint): string {
  if (happening.type === 'listening') return `listening on ${happening.address}`;
  const who = paint('bold', `#${happening.connection.id}`);
  switch (happening.type) {
    case 'remoteConnect':
      return `${who} ${paint('green', 'connected')}${from(happening)}`;
    case 'messageReceived':
      return `${who} received ${showValue(happening.message)}`;
    case 'replied':
      return `${who} ${paint('dim', `replied ${showValue(happening.message)}`)}`;
    case 'rejectedMessage':
      return `${who} ${paint('red', 'not sent')} ${describeError(happening.error)}`;
    case 'finishConnect':
    case 'finishDisconnect':
    case 'remoteDisconnect': {
      const by = happening.type === 'finishDisconnect' ? 'ended by us' : 'disconnected';
      const { error } = happening;
      return error === undefined
        ? `${who} ${paint('yellow', by)}`
        : `${who} ${paint('red', by)} ${describeError(error)}`;
    }
  }
}

/** For programs: one object. */
export function happeningAsJson(happening: Happening): string {
  if (happening.type === 'listening') {
    return showValue({ event: 'listening', address: happening.address });
  }
  const { type: event, connection } = happening;
  const { remote } = connection;
  return showValue({
    event,
    connection: connection.id,
    remote: event === 'remoteConnect' && remote ? showEndpoint(remote) : undefined,
    message: 'message' in happening ? happening.message : undefined,
    error: 'error' in happening ? errorAsJson(happening.error) : undefined,
  });
}

function from({ connection }: ConnectorEvent): string {
  const { remote } = connection;
  const name = remote === undefined ? '' : showEndpoint(remote);
  // The peer of a unix-domain socket has no name.
  return name === '' ? '' : ` from ${name}`;
}

function describeError(error: Error): string {
  return isPikeError(error) ? `${error.code}: ${error.message}` : error.message;
}

function errorAsJson(error: Error | undefined): object | undefined {
  if (error === undefined) return undefined;
  return { code: isPikeError(error) ? error.code : undefined, message: error.message };
}

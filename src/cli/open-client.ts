import { Logger } from '@nestjs/common';
import { PikeClient, rawMessages } from '../index.js';
import type { PikeClientOptions } from '../index.js';
import { CLOSING_DEADLINE } from './closing-deadline.js';
import type { Target } from './target.js';

const CONNECT_TIMEOUT = 10_000;

/** How a client is to behave. */
export interface ClientSettings {
  /** How long connecting, and then each reply, may take, in ms; 0: replies for ever. */
  timeout: number;
  /** Whether messages without packets are answered. */
  reply: boolean;
  signal: AbortSignal;
}

/**
 * A client that is connected. It is closed by whoever opens it.
 * @throws PikeError (rejection) if it cannot be connected, or the signal is aborted before
 */
export async function openClient(target: Target, settings: ClientSettings): Promise<PikeClient> {
  // What fails is told on standard error by us; Nest's log would go to standard output.
  Logger.overrideLogger(false);
  const { timeout, reply, signal } = settings;
  const client = new PikeClient({
    ...target.endpoint,
    ...target.connector,
    ...packetOptions(target, reply),
    connectTimeout: timeout === 0 ? CONNECT_TIMEOUT : timeout,
    requestTimeout: timeout,
    reconnect: false,
    shutdown: { deadline: CLOSING_DEADLINE },
  });
  const abort = (): void => void client.close();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const connected = client.connect();
    if (signal.aborted) abort();
    await connected;
    return client;
  } catch (error) {
    await client.close();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function packetOptions({ protocol }: Target, reply: boolean): Partial<PikeClientOptions> {
  const { converter, hasPackets, serializer, deserializer, correlation } = protocol;
  return hasPackets
    ? { converter, serializer, deserializer, correlation }
    : { converter, ...rawMessages('message', { reply }) };
}

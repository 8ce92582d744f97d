import type { Connection, Connector, Endpoint } from '../core/index.js';

/** How a connection is to be made. */
export interface DialOptions {
  /** How long connecting may take, in ms; 0: as long as the connector has it. */
  timeout: number;
  signal: AbortSignal;
}

/**
 * Connects.
 * @throws PikeError (rejection) `PIKE_ERR_CONNECT_FAILED`, `PIKE_ERR_CONNECT_TIMEOUT`,
 * `PIKE_ERR_CONNECT_ABORTED`
 */
export async function dial(
  connector: Connector<unknown>,
  endpoint: Endpoint,
  { timeout, signal }: DialOptions,
): Promise<Connection> {
  const { connection, error } = await connector.connectWaiting(endpoint, {
    timeout: timeout === 0 ? undefined : timeout,
    signal,
  });
  if (error !== undefined) throw error;
  return connection;
}

import type { Socket } from 'node:net';
import type { Endpoint } from '../endpoint.js';

/** The peer's end of a TCP socket that is connected. */
export function remoteOf({ remoteAddress, remotePort }: Socket): Endpoint | undefined {
  return endpointOf(remoteAddress, remotePort);
}

/** Our end of a TCP socket that is connected. */
export function localOf({ localAddress, localPort }: Socket): Endpoint | undefined {
  return endpointOf(localAddress, localPort);
}

function endpointOf(host: string | undefined, port: number | undefined): Endpoint | undefined {
  return host === undefined || port === undefined ? undefined : { host, port };
}

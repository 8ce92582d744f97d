import { PikeError } from '../../core/errors.js';
import type { PacketId } from './packets.js';

const MOST_ID_CHARACTERS = 256;

/** Whether a decoded value was a map on the wire, rather than an array, binary content or a date. */
export function isMap(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof Date)
  );
}

/** @throws PikeError `PIKE_ERR_MALFORMED` for what is no packet */
export function checkPacket(packet: unknown): void {
  if (typeof packet === 'object' && packet !== null) return;
  throw new PikeError(
    'PIKE_ERR_MALFORMED',
    'The deserializer has made no packet of a message: it must return an object.',
  );
}

/** @throws PikeError `PIKE_ERR_MALFORMED` for metadata that is no map of strings */
export function checkMetadata(metadata: unknown): void {
  if (isMap(metadata) && Object.values(metadata).every((value) => typeof value === 'string'))
    return;
  throw new PikeError('PIKE_ERR_MALFORMED', 'The metadata of a packet must be a map of strings.');
}

/** @throws PikeError `PIKE_ERR_MALFORMED` for a ping that is no number */
export function checkPing(ping: unknown): number {
  if (typeof ping === 'number') return ping;
  throw new PikeError('PIKE_ERR_MALFORMED', 'A ping must be a number.');
}

/** @throws PikeError `PIKE_ERR_MALFORMED` for an id that is neither a number nor a short string */
export function checkId(id: unknown): PacketId | undefined {
  if (id === undefined || typeof id === 'number') return id;
  if (typeof id === 'string' && id.length <= MOST_ID_CHARACTERS) return id;
  throw new PikeError(
    'PIKE_ERR_MALFORMED',
    `A packet id must be a number or a string of up to ${MOST_ID_CHARACTERS} characters.`,
  );
}

import {
  jsonPayload,
  latin1Payload,
  messagePackPayload,
  rawPayload,
  textPayload,
} from '../../converters/index.js';
import type { PayloadCodec } from '../../converters/index.js';
import { usageError } from '../failure.js';
import { BYTES_FORMAT, JSON_FORMAT, TEXT_FORMAT } from './data-format.js';
import type { DataFormat } from './data-format.js';

/** What the content of a message may be, for converters that leave it open. */
export interface Payload {
  codec: PayloadCodec<unknown>;
  format: DataFormat;
}

const PAYLOADS: Readonly<Record<string, () => Payload>> = {
  bytes: () => ({ codec: rawPayload, format: BYTES_FORMAT }),
  text: () => ({ codec: textPayload, format: TEXT_FORMAT }),
  latin1: () => ({ codec: latin1Payload, format: TEXT_FORMAT }),
  json: () => ({ codec: jsonPayload(), format: JSON_FORMAT }),
  messagepack: () => ({ codec: messagePackPayload(), format: JSON_FORMAT }),
};

/** The names of the payloads, for people. */
export const PAYLOAD_NAMES = Object.keys(PAYLOADS).join(', ');

/** The payload of a name. @throws CommandError `USAGE` */
export function payloadOf(name: string): Payload {
  const create = Object.hasOwn(PAYLOADS, name) ? PAYLOADS[name] : undefined;
  if (create !== undefined) return create();
  throw usageError(`"${name}" is no payload of a message. There are ${PAYLOAD_NAMES}.`);
}

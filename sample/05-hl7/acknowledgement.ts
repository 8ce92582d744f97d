import { randomUUID } from 'node:crypto';
import type { Rejection } from './hl7-error.js';
import { escapeHl7 } from './hl7-message.js';

/** HL7's table 0357. */
const UNSUPPORTED_MESSAGE_TYPE = 200;
const INTERNAL_ERROR = 207;

/**
 * The acknowledgement of a message: `AA` if it was accepted, `AE` or `AR` with an ERR segment if not.
 * @param controlId MSH-10 of the message
 * @param err why it was not accepted, as Nest's exception filters have made it; nothing if it was
 */
export function acknowledge(controlId: string, err: unknown, now: Date): string {
  const rejection = err === undefined || err === null ? undefined : rejectionOf(err);
  const id = randomUUID().slice(0, 20);
  const segments = [
    `MSH|^~\\&|PIKE||||${timestamp(now)}||ACK|${id}|P|2.5`,
    `MSA|${rejection?.acknowledgement ?? 'AA'}|${escapeHl7(controlId)}`,
  ];
  if (rejection !== undefined) {
    const { condition, message } = rejection;
    segments.push(`ERR|||${condition}^^HL70357|E||||${escapeHl7(message)}`);
  }
  return segments.map((segment) => `${segment}\r`).join('');
}

function rejectionOf(err: unknown): Rejection {
  // The only error that is a text is that there is no handler.
  if (typeof err === 'string') {
    return {
      acknowledgement: 'AR',
      condition: UNSUPPORTED_MESSAGE_TYPE,
      message: 'Messages of this type are not taken here.',
    };
  }
  const { acknowledgement = 'AE', condition = INTERNAL_ERROR, message } = err as Partial<Rejection>;
  return { acknowledgement, condition, message: message ?? 'The message could not be processed.' };
}

/** As HL7 writes it, in UTC: `20260102030405+0000`. */
function timestamp(now: Date): string {
  return `${now.toISOString().slice(0, 19).replaceAll(/[-T:]/g, '')}+0000`;
}

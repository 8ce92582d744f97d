import type {
  IncomingPacket,
  PacketDeserializer,
  PacketSerializer,
  ReplyPacket,
} from 'nestjs-pike';
import { MllpConverter } from 'nestjs-pike/converters';
import { acknowledge } from './acknowledgement.js';
import { Hl7Error } from './hl7-error.js';
import { Hl7Message } from './hl7-message.js';

/** Where the server listens unless told otherwise; the port that is registered for HL7. */
export const HL7_PORT = 2575;

/** The pattern of a text that is no message. None that a sender can choose: those have a `^` in them. */
export const UNREADABLE = 'unreadable';

/** As of HL7 2.7; earlier versions have 20 characters. */
const LONGEST_CONTROL_ID = 199;

/** The id of a text without a usable control id: a number, so that it cannot be one. */
let unreadable = 0;

/** The type of a message is the pattern, and its control id is the id: replies may come in any order. */
const messages: PacketDeserializer<IncomingPacket, string> = {
  deserialize(text) {
    try {
      const message = Hl7Message.parse(text);
      const { controlId } = message;
      if (controlId === '') throw new Hl7Error('AR', 101, 'MSH-10 is required.');
      if (controlId.length > LONGEST_CONTROL_ID)
        throw new Hl7Error('AR', 102, 'MSH-10 is too long.');
      return { id: controlId, pattern: message.type, data: message };
    } catch (error) {
      if (!(error instanceof Hl7Error)) throw error;
      return { id: ++unreadable, pattern: UNREADABLE, data: error };
    }
  },
};

const acknowledgements: PacketSerializer<ReplyPacket, string> = {
  // A handler may return a stream: its end is what is acknowledged.
  serialize: ({ id, err, isDisposed }) =>
    isDisposed === true
      ? acknowledge(typeof id === 'string' ? id : '', err, new Date())
      : undefined,
};

/** HL7 v2 over MLLP: each message is acknowledged by `ACK`, whose MSA-2 is its control id. */
export const HL7_PROTOCOL = {
  converter: new MllpConverter(),
  correlation: 'id' as const,
  deserializer: messages,
  serializer: acknowledgements,
};

import { RpcException } from '@nestjs/microservices';

/** What the sender of a message is told that cannot be accepted. */
export interface Rejection {
  /** MSA-1. `AE`: the message is wrong, or we have failed; `AR`: it is none that we take. */
  acknowledgement: 'AE' | 'AR';
  /** ERR-3, a code of HL7's table 0357. */
  condition: number;
  message: string;
}

/** Thrown by handlers: the message is acknowledged by `AE` or `AR`. */
export class Hl7Error extends RpcException {
  constructor(acknowledgement: Rejection['acknowledgement'], condition: number, message: string) {
    super({ acknowledgement, condition, message } satisfies Rejection);
  }
}

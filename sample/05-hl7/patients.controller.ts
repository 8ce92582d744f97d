import { Controller, Logger } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { Hl7Error } from './hl7-error.js';
import { Hl7Message } from './hl7-message.js';
import { UNREADABLE } from './protocol.js';
import type { Patient } from './wards.js';
import { Wards } from './wards.js';

/** HL7's table 0357. */
const REQUIRED_FIELD_MISSING = 101;
const UNKNOWN_KEY_IDENTIFIER = 204;
const DUPLICATE_KEY_IDENTIFIER = 205;

/** Admissions, discharges and transfers. A handler that returns acknowledges its message. */
@Controller()
export class PatientsController {
  readonly #logger = new Logger(PatientsController.name);

  constructor(private readonly wards: Wards) {}

  @MessagePattern('ADT^A01')
  admit(@Payload() message: Hl7Message): void {
    const id = required(message, 'PID', 3);
    if (this.wards.get(id) !== undefined) {
      throw new Hl7Error('AE', DUPLICATE_KEY_IDENTIFIER, `Patient ${id} is here already.`);
    }
    const name = [message.get('PID', 5, 2), message.get('PID', 5, 1)].join(' ').trim();
    const patient = { id, name, ward: required(message, 'PV1', 3) };
    this.wards.put(patient);
    this.#log(patient, 'was admitted');
  }

  @MessagePattern('ADT^A02')
  transfer(@Payload() message: Hl7Message): void {
    const patient = this.#known(message);
    const ward = required(message, 'PV1', 3);
    const moved = { ...patient, ward };
    this.wards.put(moved);
    this.#log(moved, 'was moved');
  }

  @MessagePattern('ADT^A03')
  discharge(@Payload() message: Hl7Message): void {
    const patient = this.#known(message);
    this.wards.leave(patient.id);
    this.#log(patient, 'was discharged');
  }

  @MessagePattern(UNREADABLE)
  unreadable(@Payload() error: Hl7Error): never {
    throw error;
  }

  /** No names: a log is not for everybody. As JSON: a sender is not to write lines of its own into it. */
  #log({ id, ward }: Patient, what: string): void {
    this.#logger.log(`${what}: ${JSON.stringify({ id, ward })}`);
  }

  #known(message: Hl7Message): Patient {
    const id = required(message, 'PID', 3);
    const patient = this.wards.get(id);
    if (patient !== undefined) return patient;
    throw new Hl7Error('AE', UNKNOWN_KEY_IDENTIFIER, `Patient ${id} is not here.`);
  }
}

/** @throws Hl7Error if the field is empty */
function required(message: Hl7Message, segment: string, field: number): string {
  const value = message.get(segment, field);
  if (value !== '') return value;
  throw new Hl7Error('AE', REQUIRED_FIELD_MISSING, `${segment}-${field} is required.`);
}

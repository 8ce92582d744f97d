import { Injectable } from '@nestjs/common';
import { Hl7Error } from './hl7-error.js';

/** How many patients there may be. */
const BEDS = 2_000;

/** HL7's table 0357. */
const APPLICATION_ERROR = 207;

export interface Patient {
  id: string;
  name: string;
  ward: string;
}

/** Who is here. */
@Injectable()
export class Wards {
  readonly #patients = new Map<string, Patient>();

  get(id: string): Patient | undefined {
    return this.#patients.get(id);
  }

  /** Takes a patient in, or elsewhere. */
  put(patient: Patient): void {
    if (this.#patients.size >= BEDS && !this.#patients.has(patient.id)) {
      throw new Hl7Error('AE', APPLICATION_ERROR, 'No bed is free.');
    }
    this.#patients.set(patient.id, patient);
  }

  leave(id: string): void {
    this.#patients.delete(id);
  }
}

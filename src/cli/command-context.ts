import type { Interrupt } from './interrupt.js';

/** What every command is given, beside its own arguments and options. */
export interface CommandContext {
  readonly interrupt: Interrupt;
  /** What failed and does not end the command: told on standard error. */
  readonly warn: (thrown: unknown) => void;
}

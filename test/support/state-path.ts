import { expect } from '@jest/globals';
import { Connection } from 'nestjs-pike/core';
import type { ConnectionState } from '../../src/core/connection-state.js';
import { Link } from '../../src/core/link/link.js';

/** The state of a connection, which the connector shows to nobody. */
export function stateOf(connection: Connection): ConnectionState {
  const facts = Connection.factsOf(connection);
  if (!(facts instanceof Link)) throw new Error('Not a connection of ours.');
  return facts.state;
}

/** Follows connections through their states, and remembers every step from one state to the next. */
export class StatePaths {
  /** Every step seen, as `from → to`. */
  readonly steps = new Set<string>();
  readonly #last = new Map<Connection, ConnectionState>();

  /** Asserts that a connection is in a state now, having come there in one step from where it was seen last. */
  expectState(connection: Connection, state: ConnectionState): void {
    expect(stateOf(connection)).toBe(state);
    const from = this.#last.get(connection);
    if (from !== undefined && from !== state) this.steps.add(`${from} → ${state}`);
    this.#last.set(connection, state);
  }
}

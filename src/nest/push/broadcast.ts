import type { Observable } from 'rxjs';
import type { Connection } from '../../core/connection.js';
import { PikeError } from '../../core/errors.js';
import { Outcome } from '../calls/outcome.js';
import type { OutgoingPacket } from '../packets/packets.js';

/** Options of a broadcast. */
export interface BroadcastOptions {
  /** Who does not get it, such as the connection that it came from. Default: nobody. */
  except?: Connection | Iterable<Connection>;
}

/** A connection that a broadcast has not reached. */
export interface BroadcastFailure {
  connection: Connection;
  /** Why; its `delivery` says whether the peer may have it all the same. */
  error: PikeError;
}

/** What became of a broadcast: each connection that it was for is either counted or listed. */
export interface BroadcastResult {
  /** How many connections it was sent on. */
  sent: number;
  /** The connections on which it was not sent. */
  failed: readonly BroadcastFailure[];
}

/** A connection that a broadcast may be for. */
export interface Recipient {
  readonly connection: Connection;
  /** Whether it is accepted and has not ended. */
  readonly open: boolean;
  /** Sends an event; calls one of the two functions, once. */
  post(packet: OutgoingPacket, sent: () => void, failed: (error: PikeError) => void): void;
}

/**
 * Sends an event to every recipient that is open, at once. None waits for another: each has its own
 * queue, with the limits of its connection.
 * @param unseen told if some were not reached and nobody has subscribed
 * @returns emits the result when it is known of all, and completes; never fails
 */
export function broadcast(
  recipients: Iterable<Recipient>,
  packet: OutgoingPacket,
  { except = [] }: BroadcastOptions,
  unseen: (error: unknown) => void,
): Observable<BroadcastResult> {
  const excepted = new Set(Symbol.iterator in except ? except : [except]);
  const outcome = new Outcome<BroadcastResult>(unseen);
  const tally = new Tally((result) => outcome.settle(result, notReached(result)));
  for (const recipient of recipients) {
    if (recipient.open && !excepted.has(recipient.connection)) tally.send(recipient, packet);
  }
  tally.allGiven();
  return outcome.asObservable();
}

/** Counts what becomes of a broadcast. */
class Tally {
  readonly #settled: (result: BroadcastResult) => void;
  readonly #failed: BroadcastFailure[] = [];
  #sent = 0;
  #open = 0;
  #complete = false;

  constructor(settled: (result: BroadcastResult) => void) {
    this.#settled = settled;
  }

  send(recipient: Recipient, packet: OutgoingPacket): void {
    this.#open++;
    recipient.post(
      packet,
      () => {
        this.#sent++;
        this.#settledOne();
      },
      (error) => {
        this.#failed.push({ connection: recipient.connection, error });
        this.#settledOne();
      },
    );
  }

  /** There are no further recipients. */
  allGiven(): void {
    this.#complete = true;
    this.#check();
  }

  #settledOne(): void {
    this.#open--;
    this.#check();
  }

  #check(): void {
    if (this.#complete && this.#open === 0) {
      this.#settled({ sent: this.#sent, failed: this.#failed });
    }
  }
}

function notReached({ sent, failed }: BroadcastResult): PikeError | undefined {
  const [first] = failed;
  if (first === undefined) return undefined;
  const { code, message, delivery } = first.error;
  const all = sent + failed.length;
  return new PikeError(
    code,
    `A broadcast was not sent on ${failed.length} of ${all} connections. The first: ${message}`,
    { cause: first.error, delivery },
  );
}

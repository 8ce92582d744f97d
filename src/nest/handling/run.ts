import type { ReplyContent } from '../packets/packets.js';
import type { Refusal } from './refusals.js';
import type { Producer, ReplySink } from './reply-stream.js';
import { produce } from './reply-stream.js';

/**
 * A handler at work on one message: waits until it may begin, then runs until it has settled and what
 * it returned has been given, or until it is stopped.
 */
export abstract class Run implements ReplySink {
  #state: 'waiting' | 'handling' | 'streaming' | 'over' = 'waiting';
  #gave = false;
  #producer: Producer | undefined;
  #onOver: ((reply: ReplyContent | undefined) => void) | undefined;
  #onGave: (() => void) | undefined;

  /** Whether it has given a value. */
  get gave(): boolean {
    return this.#gave;
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  abstract report(error: unknown): void;

  abstract room(): Promise<void> | undefined;

  abstract failed(err: unknown): void;

  abstract threw(error: unknown): void;

  /** Where its values and its end go. */
  protected abstract give(reply: ReplyContent): void;

  /** What the handler has returned goes on after it: a stream. */
  protected streams(): void {}

  /** Nothing comes of it any more. */
  protected ended(): void {}

  /** It is in flight from now on. */
  begin(): void {
    this.#state = 'handling';
  }

  /** Calls back once it is over, which it may be; with what was given last, unless it was stopped or has been over. */
  whenOver(callback: (reply: ReplyContent | undefined) => void): void {
    const before = this.#onOver;
    if (this.#state === 'over') callback(undefined);
    else if (before === undefined) this.#onOver = callback;
    else this.#onOver = inTurn(before, callback);
  }

  /**
   * Calls back once it has given a value or is over, which may be so. A handler behind an interceptor
   * returns a stream at once, and runs until that gives its value.
   */
  whenGiven(callback: () => void): void {
    if (this.#gave || this.#state === 'over') callback();
    else this.#onGave = callback;
  }

  /** The handler has returned. */
  resolve(result: unknown): void {
    // What nobody wants any more is not begun: neither an Observable nor a generator does
    // anything before it is subscribed to or asked for its first value.
    if (this.#state === 'over') return;
    this.#state = 'streaming';
    const producer = produce(result, this);
    if (this.isOver) {
      producer?.stop();
      return;
    }
    this.#producer = producer;
    this.streams();
  }

  /** Nobody is interested any more. @param refusal told to who was, if given */
  stop(refusal?: Refusal): void {
    this.finish(refusal === undefined ? undefined : { ...refusal, isDisposed: true });
  }

  value(response: unknown): void {
    if (this.#state === 'over') return;
    this.#gave = true;
    this.give({ response });
    this.#tellGiven();
  }

  last(response: unknown): void {
    this.finish(response === undefined ? { isDisposed: true } : { response, isDisposed: true });
  }

  /** What it has given is all that is taken: one value, where the protocol has room for no more. */
  satisfied(): void {
    this.finish(undefined, { isDisposed: true });
  }

  /**
   * Ends it.
   * @param reply what is given last, if anything
   * @param told to those who have called {@link whenOver}
   */
  protected finish(reply: ReplyContent | undefined, told = reply): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    // The end may come from elsewhere than the producer: from a processing hook, for one.
    this.#producer?.stop();
    if (reply !== undefined) this.give(reply);
    this.ended();
    this.#tellGiven();
    this.#onOver?.(told);
  }

  /** Once: giving a value may end it. */
  #tellGiven(): void {
    const onGave = this.#onGave;
    this.#onGave = undefined;
    onGave?.();
  }
}

function inTurn<Value>(first: (value: Value) => void, second: (value: Value) => void) {
  return (value: Value): void => {
    first(value);
    second(value);
  };
}

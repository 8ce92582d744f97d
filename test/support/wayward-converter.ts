import { DONE, WAIT_FOR_CALLBACK, WAIT_FOR_MORE } from 'nestjs-pike/core';
import type { Converter, Deserializer, PutBytesResult, Serializer } from 'nestjs-pike/core';
import type { Random } from './random.js';

const EMPTY = Buffer.alloc(0);
const NEWLINE = 0x0a;

/**
 * Speaks lines, and does whatever a converter may do and should not: a message or line that begins
 * with `~` waits for its callback, with `?` waits for ever, with `!` throws at once, and with `^`
 * throws when a part of it has been sent.
 */
export class WaywardConverter implements Converter<string> {
  created = 0;
  /** How many have ended by themselves or were told to. */
  ended = 0;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  createSerializer(message: string): Serializer {
    const parts = [Buffer.from(message), Buffer.from('\n'), EMPTY];
    let waited = false;
    return {
      getBytes: (callback) => {
        if (message.startsWith('!') || (message.startsWith('^') && parts.length < 3)) {
          throw new Error(`Cannot write ${message}`);
        }
        if ('~?'.includes(message[0] as string) && !waited) {
          waited = true;
          if (message.startsWith('~')) this.#later(callback);
          return WAIT_FOR_CALLBACK;
        }
        return parts.shift() ?? EMPTY;
      },
    };
  }

  createDeserializer(): Deserializer<string> {
    this.created++;
    let message = '';
    let waited = false;
    return {
      get message() {
        return message;
      },
      putBytes: (data, callback): PutBytesResult => {
        if (waited) {
          this.ended++;
          return [data, DONE];
        }
        const end = data.indexOf(NEWLINE);
        if (end === -1) return [data, WAIT_FOR_MORE];
        message = data.toString('utf8', 0, end);
        if (message.startsWith('!')) throw new Error(`Cannot read ${message}`);
        const rest = data.subarray(end + 1);
        if (message.startsWith('~') || message.startsWith('?')) {
          waited = true;
          if (message.startsWith('~')) this.#later(callback);
          return [rest, WAIT_FOR_CALLBACK];
        }
        this.ended++;
        return [rest, DONE];
      },
      destroy: () => {
        this.ended++;
      },
    };
  }

  #later(callback: () => void): void {
    const turns = this.#random.below(4);
    if (turns === 0) callback();
    else wait(turns, callback);
    if (this.#random.below(4) === 0) wait(3, callback);
  }
}

function wait(turns: number, callback: () => void): void {
  if (turns === 0) callback();
  else setImmediate(wait, turns - 1, callback);
}

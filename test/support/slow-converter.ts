import { WAIT_FOR_CALLBACK } from 'nestjs-pike/core';
import type { PutBytesResult } from 'nestjs-pike/core';
import { scriptedConverter } from './scripted-converter.js';

const EMPTY = Buffer.alloc(0);

/** A call to `putBytes` that has answered WAIT_FOR_CALLBACK. */
export interface Call {
  data: string;
  callback: () => void;
}

/** A converter whose every call waits, until the test calls back; then `answer` decides. */
export class SlowConverter {
  readonly calls: Call[] = [];
  destroyed = 0;
  /** What `putBytes` answers; by default it uses everything and waits. */
  answer: (data: Buffer, callback: () => void) => PutBytesResult = () => [EMPTY, WAIT_FOR_CALLBACK];
  #waiters: (() => void)[] = [];

  readonly converter = scriptedConverter({
    putBytes: (data, callback) => {
      this.calls.push({ data: data.toString(), callback });
      for (const resolve of this.#waiters.splice(0)) resolve();
      return this.answer(data, callback);
    },
    destroyDeserializer: () => this.destroyed++,
  });

  /** The call with that number, counted from 1. */
  async call(number: number): Promise<Call> {
    while (this.calls.length < number) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
    return this.calls[number - 1] as Call;
  }
}

// Prevents: a stream of which a value cannot be encoded, and whose caller takes the rest for all of it.
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { PikeClient, ReplyPacket } from 'nestjs-pike';
import { from, lastValueFrom } from 'rxjs';
import { nextTurn } from '../support/turns.js';
import type { Running } from './support.js';
import { start } from './support.js';

/** What the caller asks for where a value is to stand that has no form in MessagePack. */
const UNENCODABLE = 'unencodable';
const madeOf = (values: unknown[]) =>
  values.map((value) => (value === UNENCODABLE ? Symbol('no form') : value));

@Controller()
class ValuesController {
  @MessagePattern('observable')
  observable(@Payload() values: unknown[]) {
    return from(madeOf(values));
  }

  @MessagePattern('generator')
  async *generator(@Payload() values: unknown[]) {
    yield* madeOf(values);
  }

  @MessagePattern('slow generator')
  async *slowGenerator(@Payload() values: unknown[]) {
    for (const value of madeOf(values)) {
      await nextTurn();
      yield value;
    }
  }

  @MessagePattern('echo')
  echo(@Payload() value: unknown) {
    return value;
  }
}

/** Takes its time, and cannot make a message of some replies. */
const slowSerializer = {
  async serialize(packet: unknown) {
    await nextTurn();
    if ((packet as ReplyPacket).response === 'refused') throw new Error('No message for this one.');
    return packet;
  },
};

describe('a stream', () => {
  let running: Running;
  afterEach(() => running.close());

  /** What a caller gets: the values, and how it ends. */
  function receive(client: PikeClient, pattern: string, values: unknown[]) {
    const received: unknown[] = [];
    return new Promise<{ received: unknown[]; end: unknown }>((resolve) => {
      client.send(pattern, values).subscribe({
        next: (value) => received.push(value),
        complete: () => resolve({ received, end: 'complete' }),
        error: (end: unknown) => resolve({ received, end }),
      });
    });
  }
  const failure = { status: 'error', message: 'Internal server error' };
  const numbers = Array.from({ length: 5000 }, (_, number) => number);

  describe.each(['observable', 'generator', 'slow generator'])('from a handler: %s', (pattern) => {
    it.each([
      ['first', [UNENCODABLE, 1, 2], []],
      ['in the middle', [0, 1, UNENCODABLE, 3, 4], [0, 1]],
      ['last', [0, 1, UNENCODABLE], [0, 1]],
      ['alone', [UNENCODABLE], []],
      ['twice', [0, UNENCODABLE, 2, UNENCODABLE, 4], [0]],
      ['among thousands', [...numbers, UNENCODABLE, ...numbers], numbers],
    ])(
      'fails, and does not complete, if a value cannot be encoded: %s',
      async (_, values, before) => {
        running = await start([ValuesController]);
        const client = running.client();
        const others = numbers
          .slice(0, 500)
          .map((number) => lastValueFrom(client.send('echo', number)));

        const { received, end } = await receive(client, pattern, values);

        expect(end).toEqual(failure);
        expect(received.slice(0, before.length)).toEqual(before);
        // Nobody else has noticed, and the connection goes on.
        expect(await Promise.all(others)).toEqual(numbers.slice(0, 500));
        expect(await receive(client, pattern, [7])).toEqual({ received: [7], end: 'complete' });
      },
    );
  });

  it.each(['observable', 'generator', 'slow generator'])(
    'fails if its serializer, which takes its time, makes nothing of a value: %s',
    async (pattern) => {
      running = await start([ValuesController], { serializer: slowSerializer });
      const client = running.client();

      const { received, end } = await receive(client, pattern, [0, 1, 'refused', 3]);

      expect(end).toEqual(failure);
      expect(received.slice(0, 2)).toEqual([0, 1]);
      expect(await receive(client, pattern, [7, 8])).toEqual({ received: [7, 8], end: 'complete' });
    },
  );
});

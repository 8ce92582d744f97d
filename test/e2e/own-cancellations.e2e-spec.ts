// Prevents: a handler goes on though its caller has given up, in a protocol of one's own that has a word
// for it; or a protocol that has none is made to say something.
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type {
  IncomingPacket,
  IncomingReply,
  OutgoingPacket,
  PacketDeserializer,
  PacketSerializer,
  ReplyPacket,
} from 'nestjs-pike';
import { LineConverter } from 'nestjs-pike/converters';
import { firstValueFrom, Observable } from 'rxjs';
import type { Running } from './support.js';
import { start } from './support.js';

let subscribed: () => void;
let tornDown: () => void;

@Controller()
class SleepController {
  @MessagePattern('sleep')
  sleep() {
    return new Observable(() => {
      subscribed();
      return () => tornDown();
    });
  }

  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }
}

/** Lines of `id pattern data`, answered by `id data`, taken back by `id cancel`. */
const requests: PacketDeserializer<IncomingPacket, string> = {
  deserialize(line) {
    const [id = '', pattern, data] = line.split(' ');
    return pattern === 'cancel' ? { id, cancel: true } : { id, pattern, data };
  },
};
const replies: PacketSerializer<ReplyPacket, string> = {
  serialize: ({ id, response }) => `${id} ${String(response)}`,
};
const answers: PacketDeserializer<IncomingReply, string> = {
  deserialize(line) {
    const [id, response] = line.split(' ');
    return { id: Number(id), response, isDisposed: true };
  },
};
const questions: PacketSerializer<OutgoingPacket, string> = {
  serialize: ({ id, pattern, data, cancel }) =>
    cancel === true ? `${id} cancel` : `${id} ${String(pattern)} ${String(data)}`,
};

describe('a client with packets of its own whose caller gives up', () => {
  const converter = new LineConverter();
  let running: Running<string>;
  afterEach(() => running.close());

  /** A server that says which lines have come. */
  const begin = async (correlation: 'id' | 'order', lines: string[] = []): Promise<void> => {
    running = await start<string>([SleepController], {
      converter,
      correlation,
      serializer: replies,
      deserializer: {
        deserialize: (line) => {
          lines.push(line);
          return requests.deserialize(line);
        },
      },
    });
  };

  it.each([
    ['unsubscribes', undefined],
    ['waits no longer', 1_000],
  ])('has the handler torn down: it %s', async (_, timeout) => {
    await begin('id');
    const began = new Promise<void>((resolve) => (subscribed = resolve));
    const ended = new Promise<void>((resolve) => (tornDown = resolve));
    const client = running.client({ converter, serializer: questions, deserializer: answers });
    // Connecting would count in its time, and a request that has run out by then is never begun.
    await client.connect();
    const subscription = client
      .send('sleep', 'well', { timeout })
      .subscribe({ error: () => undefined });
    await began;
    if (timeout === undefined) subscription.unsubscribe();
    await ended;
    await expect(firstValueFrom(client.send('echo', 'on'))).resolves.toBe('on');
  });

  it('says nothing where the protocol has no word for it', async () => {
    const lines: string[] = [];
    await begin('id', lines);
    const began = new Promise<void>((resolve) => (subscribed = resolve));
    tornDown = () => undefined;
    const client = running.client({
      converter,
      serializer: {
        serialize: (packet) => (packet.cancel === true ? undefined : questions.serialize(packet)),
      },
      deserializer: answers,
    });
    const subscription = client.send('sleep', 'well').subscribe();
    await began;
    subscription.unsubscribe();
    await expect(firstValueFrom(client.send('echo', 'on'))).resolves.toBe('on');
    expect(lines).toEqual(['1 sleep well', '2 echo on']);
  });

  it('does not ask its serializer for a word where replies come in order', async () => {
    await begin('order');
    const began = new Promise<void>((resolve) => (subscribed = resolve));
    tornDown = () => undefined;
    const given: OutgoingPacket[] = [];
    const client = running.client({
      converter,
      correlation: 'order',
      serializer: {
        serialize: (packet) => {
          given.push(packet);
          return questions.serialize(packet);
        },
      },
      deserializer: answers,
    });
    const subscription = client.send('sleep', 'well').subscribe();
    await began;
    subscription.unsubscribe();
    const next = client.send('echo', 'on').subscribe({ error: () => undefined });
    expect(given.map(({ pattern, cancel }) => ({ pattern, cancel }))).toEqual([
      { pattern: 'sleep', cancel: undefined },
      { pattern: 'echo', cancel: undefined },
    ]);
    next.unsubscribe();
  });
});

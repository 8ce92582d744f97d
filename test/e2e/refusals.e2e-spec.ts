// Prevents: a caller that cannot tell a request which was never begun from one that may have been acted on,
// so that it gives up what it may repeat, or repeats what it must not: because a handler has passed on what
// another server said of another request, for one.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller } from '@nestjs/common';
import type { INestMicroservice } from '@nestjs/common';
import { MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import type { PikeClient, PikeError, SentPacket } from 'nestjs-pike';
import { LineConverter } from 'nestjs-pike/converters';
import { catchError, throwError } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { muteLogger } from '../support/mute-logger.js';
import { RawPeer } from '../support/raw-peer.js';
import { useSockets } from '../support/use-sockets.js';
import { outcomeOf, rawClientPair } from './raw-server.js';
import { start } from './support.js';

const begun: unknown[] = [];
let release: () => void = () => undefined;
let released: Promise<void>;

@Controller()
class PaymentController {
  @MessagePattern('pay')
  async pay(@Payload() order: unknown) {
    begun.push(order);
    await released;
    return order;
  }
}

let bank: PikeClient;

@Controller()
class ShopController {
  @MessagePattern('buy')
  buy(@Payload() article: unknown) {
    begun.push(article);
    return bank.send('pay', article).pipe(
      // All that it was told, as who wants to be helpful may pass it on.
      catchError((error: PikeError) => throwError(() => new RpcException(error.cause as object))),
    );
  }
}

const sockets = useSockets();
const launched: { app: INestMicroservice }[] = [];

beforeEach(() => {
  begun.length = 0;
  released = new Promise((resolve) => (release = resolve));
  muteLogger();
});
afterEach(async () => {
  release();
  for (const { app } of launched.splice(0)) await app.close();
  jest.restoreAllMocks();
});

describe('of the requests to a server that cannot handle all of them', () => {
  it('each has been begun, once, or is said to be unsent', async () => {
    const running = await start([PaymentController], { maxInFlight: 3 });
    launched.push(running);
    const client = running.client();
    const given = Array.from({ length: 50 }, (_, number) => number);

    const outcomes = given.map((order) => outcomeOf(client.send('pay', order)));
    await eventually(() => begun.length === 3);
    const refused = await Promise.all(outcomes.slice(6));
    release();
    const answered = await Promise.all(outcomes.slice(0, 6));

    expect(answered).toEqual(given.slice(0, 6).map((order) => [order]));
    expect(begun).toEqual(given.slice(0, 6));
    expect(refused).toHaveLength(given.length - begun.length);
    for (const error of refused) {
      expect(error).toMatchObject({
        name: 'PikeError',
        code: 'PIKE_ERR_OVERLOADED',
        delivery: 'unsent',
        message: expect.stringContaining('maxInFlight'),
        cause: { status: 'error', code: 'PIKE_ERR_OVERLOADED' },
      });
    }
    await client.close();
  });

  it('those that it is asked while it closes are unsent, and those that it gives up in doubt', async () => {
    const running = await start([PaymentController], { shutdown: { deadline: 300 } });
    launched.push(running);
    const client = running.client();
    const inDoubt = outcomeOf(client.send('pay', 1));
    await eventually(() => begun.length === 1);

    const closed = running.app.close();
    const unsent = outcomeOf(client.send('pay', 2));

    await expect(unsent).resolves.toMatchObject({
      code: 'PIKE_ERR_SHUTTING_DOWN',
      delivery: 'unsent',
    });
    await expect(inDoubt).resolves.toMatchObject({
      code: 'PIKE_ERR_INTERRUPTED',
      delivery: 'in-doubt',
    });
    expect(begun).toEqual([1]);
    release();
    await closed;
    await client.close();
  });

  it('none is said to be unsent for what its handler was told of another', async () => {
    const bankServer = await start([PaymentController], { maxInFlight: 1 });
    const shop = await start([ShopController]);
    launched.push(shop, bankServer);
    bank = bankServer.client();
    const customer = shop.client();

    const outcomes = ['bread', 'milk', 'a bicycle'].map((article) =>
      outcomeOf(customer.send('buy', article)),
    );

    await expect(outcomes[2]).resolves.toEqual({
      status: 'error',
      code: 'PIKE_ERR_OVERLOADED',
      message: expect.stringContaining('not begun'),
    });
    expect(begun).toContain('a bicycle');
    release();
    await Promise.all(outcomes);
    await bank.close();
    await customer.close();
  });
});

describe('a protocol of its own', () => {
  it('may have a word for what was not begun', async () => {
    const { client, peer } = await rawClientPair<string>(sockets, {
      converter: new LineConverter(),
      correlation: 'order',
      serializer: { serialize: ({ data }) => String(data) },
      deserializer: {
        deserialize: (line) =>
          line === 'BUSY' ? { err: line, status: 'refused' } : { response: line },
      },
    });
    const outcomes = ['one', 'two', 'three'].map((line) => outcomeOf(client.send('line', line)));
    await peer.sees('one\ntwo\nthree\n');

    peer.write('1\nBUSY\n3\n');

    await expect(Promise.all(outcomes)).resolves.toEqual([
      ['1'],
      expect.objectContaining({ code: 'PIKE_ERR_REFUSED', delivery: 'unsent', cause: 'BUSY' }),
      ['3'],
    ]);
  });

  it('is told of a reply whether the request was begun', async () => {
    const replies: SentPacket[] = [];
    const running = await start<string>([PaymentController], {
      maxInFlight: 1,
      converter: new LineConverter(),
      serializer: {
        serialize(reply) {
          replies.push(reply);
          return `${reply.id} ${reply.status === 'refused' ? 'BUSY' : String(reply.response)}`;
        },
      },
      deserializer: { deserialize: (id) => ({ id, pattern: 'pay', data: id }) },
    });
    launched.push(running);
    const peer = await RawPeer.connect({ host: '127.0.0.1', port: running.port });

    peer.write('1\n2\n3\n');
    await peer.sees('3 BUSY\n');
    release();
    await peer.sees('3 BUSY\n1 1\n2 2\n');

    expect(replies.map(({ id, status }) => [id, status])).toEqual([
      ['3', 'refused'],
      ['1', undefined],
      ['2', undefined],
    ]);
    await peer.destroy();
  });
});

// Prevents: a caller whose request has failed is told that sending it again is safe when it is not,
// or is left in doubt for no reason. Every code that a client's call can fail with.
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { PikeClient, rawMessages } from 'nestjs-pike';
import type { Delivery, PikeClientOptions, PikeErrorCode } from 'nestjs-pike';
import { DONE, FramedConverter } from 'nestjs-pike/core';
import type { ByteReader, ByteWriter } from 'nestjs-pike/core';
import { INTERRUPTED, OVERLOADED, SHUTTING_DOWN } from '../../src/nest/handling/refusals.js';
import type { Refusal } from '../../src/nest/handling/refusals.js';
import { scriptedConverter } from '../support/scripted-converter.js';
import { startSilentHost } from '../support/silent-host.js';
import { nextTurn } from '../support/turns.js';
import { useSockets } from '../support/use-sockets.js';
import { PacketPeer } from './packet-peer.js';
import {
  clientOf,
  clientPair,
  rawClientPair,
  outcomeOf,
  RawServer,
  statusOf,
} from './raw-server.js';

const sockets = useSockets();

interface Case {
  code: PikeErrorCode;
  delivery: Delivery;
  when: string;
  /** The outcome of a request that fails so. */
  run: () => Promise<unknown>;
}

/** What fills the buffers of the system several times over, so that what follows cannot leave. */
const FILLING = 'x'.repeat(16_000_000);

/** A request that the server has seen, and then what befalls its connection. */
async function seen(
  befalls: (peer: PacketPeer, client: PikeClient) => unknown,
  options: Partial<PikeClientOptions> = {},
): Promise<unknown> {
  const { client, peer } = await clientPair(sockets, options);
  const result = outcomeOf(client.send('r', 'seen'));
  await peer.reply(({ data }) => data === 'seen');
  await befalls(peer, client);
  return result;
}

/** A request that the server does not handle, and says so. */
function answered(refusal: Refusal): Promise<unknown> {
  return seen((peer) => peer.send({ id: 1, ...refusal, isDisposed: true }));
}

/** A request behind one that cannot leave, and then what befalls its connection. */
async function queued(
  befalls: (peer: PacketPeer, client: PikeClient) => unknown,
  options: Partial<PikeClientOptions> = {},
): Promise<unknown> {
  const { client, peer } = await clientPair(sockets, { retryUnsent: false, ...options }, false);
  void outcomeOf(client.send('r', FILLING));
  const result = outcomeOf(client.send('r', 'queued'));
  await nextTurn();
  await befalls(peer, client);
  return result;
}

/** A request as a line that the server has seen, answered by a line that the converter fails on. */
async function lines(options: Partial<PikeClientOptions<string>>, answer = 'answer\n') {
  const { client, peer } = await rawClientPair<string>(sockets, {
    converter: scriptedConverter({}),
    ...rawMessages<string>('r', { reply: true }),
    ...options,
  });
  const result = outcomeOf(client.send('r', 'seen'));
  await peer.sees('seen\n');
  peer.write(answer);
  return result;
}

/** Reads what has not come. */
class Overreaching extends FramedConverter<string> {
  encode(line: string, writer: ByteWriter): void {
    writer.writeString(`${line}\n`);
  }

  decode(reader: ByteReader): string {
    return reader.readString(reader.remaining + 1);
  }
}

const half = (): Buffer => PacketPeer.frame({ id: 1, response: 'never whole' }).subarray(0, 9);

const CASES: Case[] = [
  {
    code: 'PIKE_ERR_CONNECT_FAILED',
    delivery: 'unsent',
    when: 'nobody listens',
    run: async () => {
      const client = new PikeClient({ endpoints: [await sockets.unusedEndpoint()] });
      return outcomeOf(client.send('r', 1));
    },
  },
  {
    code: 'PIKE_ERR_CONNECT_TIMEOUT',
    delivery: 'unsent',
    when: 'the host does not answer',
    run: async () => {
      const host = await startSilentHost();
      sockets.defer(() => host.close());
      const client = new PikeClient({ endpoints: [host.address], connectTimeout: 20 });
      return outcomeOf(client.send('r', 1));
    },
  },
  {
    code: 'PIKE_ERR_CONNECTION_LOST',
    delivery: 'in-doubt',
    when: 'the connection is reset when the request was sent',
    run: () => seen((peer) => peer.raw.reset()),
  },
  {
    code: 'PIKE_ERR_CONNECTION_LOST',
    delivery: 'unsent',
    when: 'the connection is reset before the request was sent',
    run: () => queued((peer) => peer.raw.reset()),
  },
  {
    code: 'PIKE_ERR_REMOTE_ENDED',
    delivery: 'in-doubt',
    when: 'the server ends when the request was sent',
    run: () => seen((peer) => peer.raw.end()),
  },
  {
    code: 'PIKE_ERR_REMOTE_ENDED',
    delivery: 'unsent',
    when: 'the server ends before the request was sent',
    run: () => queued((peer) => peer.raw.end()),
  },
  {
    code: 'PIKE_ERR_TRUNCATED',
    delivery: 'in-doubt',
    when: 'the server ends in the middle of a message',
    run: () =>
      seen((peer) => {
        peer.raw.write(half());
        peer.raw.end();
      }),
  },
  {
    code: 'PIKE_ERR_HEARTBEAT_TIMEOUT',
    delivery: 'in-doubt',
    when: 'the server says nothing any more, not even that it lives',
    run: () => seen(() => undefined, { heartbeatInterval: 20 }),
  },
  {
    code: 'PIKE_ERR_HEARTBEAT_TIMEOUT',
    delivery: 'unsent',
    when: 'the server neither takes anything nor says that it lives',
    run: () => queued(() => undefined, { heartbeatInterval: 20 }),
  },
  {
    code: 'PIKE_ERR_INCOMPLETE_TIMEOUT',
    delivery: 'in-doubt',
    when: 'the server does not finish a message',
    run: () =>
      seen((peer) => peer.raw.write(half()), {
        incompleteMessageTimeout: 10,
        minBytesPerSecond: 1e6,
      }),
  },
  {
    code: 'PIKE_ERR_MALFORMED',
    delivery: 'in-doubt',
    when: 'the server sends what is no message',
    run: () => seen((peer) => peer.raw.write(Buffer.from([0, 0, 0, 1, 0xc1]))),
  },
  {
    code: 'PIKE_ERR_MESSAGE_TOO_LARGE',
    delivery: 'in-doubt',
    when: 'the server sends a message that is too large',
    run: () => seen((peer) => peer.raw.write(Buffer.from([0xff, 0xff, 0xff, 0xff]))),
  },
  {
    code: 'PIKE_ERR_DESERIALIZER',
    delivery: 'in-doubt',
    when: 'the deserializer throws',
    run: () =>
      seen((peer) => peer.send({ id: 1, response: 1 }), {
        deserializer: {
          deserialize: () => {
            throw new TypeError('not for me');
          },
        },
      }),
  },
  {
    code: 'PIKE_ERR_OUT_OF_BYTES',
    delivery: 'in-doubt',
    when: 'the converter reads past what has come',
    run: () => lines({ converter: new Overreaching() }),
  },
  {
    code: 'PIKE_ERR_NO_PROGRESS',
    delivery: 'in-doubt',
    when: 'the converter finds messages in nothing',
    run: () =>
      lines({
        converter: scriptedConverter({ putBytes: (data) => [data, DONE] }),
        correlation: 'id',
        deserializer: { deserialize: () => ({}) },
      }),
  },
  {
    code: 'PIKE_ERR_STALLED',
    delivery: 'unsent',
    when: 'the server takes nothing',
    run: () => queued(() => undefined, { stallTimeout: 20 }),
  },
  {
    code: 'PIKE_ERR_STALLED',
    delivery: 'in-doubt',
    when: 'the server took the request, and then nothing more',
    run: () =>
      seen(
        (peer, client) => {
          peer.raw.pause();
          void outcomeOf(client.send('r', FILLING));
        },
        { stallTimeout: 20 },
      ),
  },
  {
    code: 'PIKE_ERR_SERIALIZER',
    delivery: 'unsent',
    when: 'the serializer throws',
    run: async () => {
      const { client } = await clientPair(sockets, {
        serializer: {
          serialize: () => {
            throw new TypeError('not for them');
          },
        },
      });
      return outcomeOf(client.send('r', 1));
    },
  },
  {
    code: 'PIKE_ERR_SERIALIZER',
    delivery: 'in-doubt',
    when: 'the converter throws when a part was sent that a server might act on',
    run: () => {
      let calls = 0;
      const getBytes = (): Buffer => {
        if (calls++ === 0) return Buffer.alloc(100_000, 'seen\n');
        throw new Error('out of words');
      };
      return lines({ converter: scriptedConverter({ getBytes }) });
    },
  },
  {
    code: 'PIKE_ERR_QUEUE_FULL',
    delivery: 'unsent',
    when: 'too many wait on the connection',
    run: async () => {
      const { client } = await clientPair(sockets, { maxQueuedMessages: 1 }, false);
      void outcomeOf(client.send('r', FILLING));
      await nextTurn();
      void outcomeOf(client.send('r', 'waits'));
      return outcomeOf(client.send('r', 'too much'));
    },
  },
  {
    code: 'PIKE_ERR_QUEUE_FULL',
    delivery: 'unsent',
    when: 'too many wait for a connection',
    run: async () => {
      const { server, client } = await clientPair(sockets, { maxOfflineMessages: 0 });
      await server.stop();
      await statusOf(client, 'reconnecting');
      return outcomeOf(client.send('r', 1));
    },
  },
  {
    code: 'PIKE_ERR_OFFLINE_TIMEOUT',
    delivery: 'unsent',
    when: 'there is no connection for too long',
    run: async () => {
      const { server, client } = await clientPair(sockets, { offlineTimeout: 10 });
      await server.stop();
      await statusOf(client, 'reconnecting');
      return outcomeOf(client.send('r', 1));
    },
  },
  {
    code: 'PIKE_ERR_REQUEST_TIMEOUT',
    delivery: 'in-doubt',
    when: 'no reply comes',
    run: () => seen(() => undefined, { requestTimeout: 20 }),
  },
  {
    code: 'PIKE_ERR_REQUEST_TIMEOUT',
    delivery: 'unsent',
    when: 'the request could not be sent in time',
    run: () => queued(() => undefined, { requestTimeout: 20 }),
  },
  {
    code: 'PIKE_ERR_CLIENT_CLOSED',
    delivery: 'in-doubt',
    when: 'the client is closed before the reply has come',
    run: () => seen((_, client) => client.close()),
  },
  {
    code: 'PIKE_ERR_CLIENT_CLOSED',
    delivery: 'unsent',
    when: 'the client is closed while it connects',
    run: async () => {
      const client = clientOf(sockets, await RawServer.start(sockets));
      const result = outcomeOf(client.send('r', 1));
      await client.close();
      return result;
    },
  },
  {
    code: 'PIKE_ERR_DEADLINE',
    delivery: 'unsent',
    when: 'the application disconnects by unwrap(), and its deadline passes',
    run: () =>
      queued((_, client) => {
        const connector = client.unwrap();
        for (const connection of connector.connections) {
          connector.disconnect(connection, { finishQueues: true, deadline: 10 });
        }
      }),
  },
  {
    code: 'PIKE_ERR_SHUTTING_DOWN',
    delivery: 'unsent',
    when: 'the server says that it has not begun it, since it closes',
    run: () => answered(SHUTTING_DOWN),
  },
  {
    code: 'PIKE_ERR_OVERLOADED',
    delivery: 'unsent',
    when: 'the server says that it has not begun it, since too many wait',
    run: () => answered(OVERLOADED),
  },
  {
    code: 'PIKE_ERR_REFUSED',
    delivery: 'unsent',
    when: 'the server says that it has not begun it, and not why',
    run: () => answered({ status: 'refused', err: 'BUSY' }),
  },
  {
    code: 'PIKE_ERR_INTERRUPTED',
    delivery: 'in-doubt',
    when: 'the server says that it has not finished it',
    run: () => answered(INTERRUPTED),
  },
  {
    code: 'PIKE_ERR_SHUT_DOWN',
    delivery: 'unsent',
    when: 'the application has shut the connector down',
    run: () =>
      queued((_, client) => client.unwrap().shutdown({ now: true }), { retryUnsent: true }),
  },
];

describe('a request fails', () => {
  beforeEach(() => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each(CASES)('as $delivery, with $code, when $when', async ({ code, delivery, run }) => {
    const error = await run();
    expect(error).toMatchObject({ name: 'PikeError', code, delivery });
  });

  it('with no other code, and no other delivery, than docs/client.md says', async () => {
    const page = await readFile('docs/client.md', 'utf8');
    const rows = Array.from(
      page.matchAll(/^\| *`(PIKE_ERR_\w+)` *\| *([a-z, -]+?) *\|/gm),
      ([, code, deliveries]) => [code, deliveries?.split(', ').sort()],
    );
    const shown = new Map<string, Set<string>>();
    for (const { code, delivery } of CASES) {
      shown.set(code, (shown.get(code) ?? new Set()).add(delivery));
    }
    const tested = Array.from(shown, ([code, deliveries]) => [code, [...deliveries].sort()]);
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(tested));
  });
});

describe('an event fails as a request does, but for one that was certainly sent', () => {
  it('which succeeds, though its connection breaks then', async () => {
    const { client, peer } = await clientPair(sockets);
    const result = outcomeOf(client.emit('e', 1));
    await peer.reply(({ data }) => data === 1);
    peer.raw.reset();
    await expect(result).resolves.toEqual([undefined]);
  });

  it('whose fate is not known: in doubt', async () => {
    const parts = [Buffer.alloc(100_000, 'seen\n')];
    const { client } = await rawClientPair<string>(sockets, {
      converter: scriptedConverter({
        getBytes: () => {
          const part = parts.pop();
          if (part === undefined) throw new Error('out of words');
          return part;
        },
      }),
      ...rawMessages<string>('r', { reply: true }),
    });
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    await expect(outcomeOf(client.emit('e', 'x'))).resolves.toMatchObject({
      code: 'PIKE_ERR_SERIALIZER',
      delivery: 'in-doubt',
    });
    jest.restoreAllMocks();
  });
});

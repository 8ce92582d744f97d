// Prevents: where replies come in order, an event overtakes the replies to the requests before it, so
// that a subscriber is told of a message before it knows that it is subscribed, and takes it for a reply.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Logger } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { PikeContext, RemoteDisconnectEvent } from 'nestjs-pike';
import type {
  Connection,
  IncomingPacket,
  OutgoingPacket,
  PacketDeserializer,
  PacketSerializer,
  PikeServerOptions,
  ReplyPacket,
} from 'nestjs-pike';
import { LineConverter } from 'nestjs-pike/converters';
import { lastValueFrom } from 'rxjs';
import { RawPeer } from '../support/raw-peer.js';
import { outcomeOf } from './raw-server.js';
import type { Running } from './support.js';
import { start } from './support.js';

/** Requests that wait until the test answers them. */
const waiting = new Map<string, () => void>();

@Controller()
class LineController {
  @MessagePattern('slow')
  slow(@Payload() data: string) {
    return new Promise((resolve) => waiting.set(data, () => resolve(data)));
  }

  @MessagePattern('echo')
  echo(@Payload() data: string) {
    return data;
  }

  @MessagePattern('subscribe')
  subscribe(@Payload() group: string, @Ctx() context: PikeContext) {
    context.join(group);
    context.group(group).broadcast('message', 'hello');
    return `subscribed to ${group}`;
  }

  @MessagePattern('progress') // waits until its events are sent
  async progress(@Payload() data: string, @Ctx() context: PikeContext) {
    for (const part of ['a third', 'two thirds']) {
      await lastValueFrom(context.emit('progress', part), { defaultValue: undefined });
    }
    return data;
  }

  @EventPattern<string>('note') // a message that is no request
  note(@Payload() data: string, @Ctx() context: PikeContext) {
    context.emit('noted', data);
  }
}

/** `pattern data` is a request, `!pattern data` an event; replies are `=data`, events `pattern: data`. */
const protocol: Partial<PikeServerOptions<string>> = {
  converter: new LineConverter(),
  correlation: 'order',
  deserializer: {
    deserialize: (line) => {
      const [, event, pattern, data] = /^(!?)(\S+) (.*)$/.exec(line) ?? [];
      return { pattern, data, id: event === '!' ? undefined : 0 };
    },
  } satisfies PacketDeserializer<IncomingPacket, string>,
  serializer: {
    serialize: (packet) =>
      'pattern' in packet
        ? `${packet.pattern as string}: ${String(packet.data)}`
        : `=${String(packet.response)}`,
  } satisfies PacketSerializer<OutgoingPacket & Partial<ReplyPacket>, string>,
};

describe('where replies come in order, an event', () => {
  let running: Running<string>;
  let peer: RawPeer;
  let connection: Connection;
  beforeEach(async () => {
    waiting.clear();
    running = await start<string>([LineController], protocol);
    const arrived = new Promise<Connection>((resolve) =>
      running.server.on('remoteConnect', (event) => resolve(event.connection)),
    );
    peer = await RawPeer.connect({ host: '127.0.0.1', port: running.port });
    connection = await arrived;
  });
  afterEach(async () => {
    for (const name of waiting.keys()) answer(name);
    await peer.destroy();
    await running.close();
    jest.restoreAllMocks();
  });

  /** Waits until a request is being handled; those before it on the wire are then, too. */
  const begun = async (name: string) => {
    while (!waiting.has(name)) await new Promise((resolve) => setImmediate(resolve));
  };
  const answer = (name: string) => waiting.get(name)?.();
  const lines = () => peer.text.trimEnd().split('\n');

  it('comes behind the reply that says what it means', async () => {
    peer.write('slow 1\nsubscribe news\n');
    await begun('1');
    const published = lastValueFrom(running.server.group('news').broadcast('message', 'more'));
    answer('1');
    await expect(published).resolves.toEqual({ sent: 1, failed: [] });
    await peer.sees('more\n');
    expect(lines()).toEqual(['=1', '=subscribed to news', 'message: hello', 'message: more']);
  });

  it('of a handler comes ahead of its own reply, and can be waited for', async () => {
    peer.write('slow 1\nprogress done\necho after\n');
    await begun('1');
    answer('1');
    await peer.sees('=after\n');
    expect(lines()).toEqual(['=1', 'progress: a third', 'progress: two thirds', '=done', '=after']);
  });

  it('of a message that is no request comes in its place', async () => {
    peer.write('slow 1\n!note here\n');
    await begun('1');
    peer.write('slow 2\n');
    await begun('2');
    answer('2');
    answer('1');
    await peer.sees('=2\n');
    expect(lines()).toEqual(['=1', 'noted: here', '=2']);
  });

  it('comes at once when no reply is due', async () => {
    running.server.emitTo(connection, 'news', 1);
    await peer.sees('1\n');
    peer.write('echo 2\n');
    await peer.sees('=2\n');
    running.server.emitTo(connection, 'news', 3);
    await peer.sees('3\n');
    expect(lines()).toEqual(['news: 1', '=2', 'news: 3']);
  });

  it('comes in the order of the emits, whatever each waits for', async () => {
    peer.write('slow 1\nslow 2\n');
    await begun('2');
    const emit = (data: number) => running.server.emitTo(connection, 'news', data);
    emit(1);
    answer('2');
    emit(2);
    answer('1');
    await peer.sees('news: 2\n');
    emit(3);
    await peer.sees('news: 3\n');
    expect(lines()).toEqual(['=1', '=2', 'news: 1', 'news: 2', 'news: 3']);
  });

  it('whose turn has not come is unsent when the peer leaves, and all are accounted for', async () => {
    const gone = new Promise<RemoteDisconnectEvent>((resolve) =>
      running.server.on('remoteDisconnect', resolve),
    );
    const sent = outcomeOf(running.server.emitTo(connection, 'news', 0));
    await peer.sees('news: 0\n');
    peer.write('slow 1\nslow 2\n');
    await begun('2');
    const events = [1, 2, 3].map((data) =>
      outcomeOf(running.server.emitTo(connection, 'news', data)),
    );
    await peer.destroy();
    await gone;
    await expect(sent).resolves.toEqual([]);
    for (const outcome of await Promise.all(events)) {
      expect(outcome).toMatchObject({ delivery: 'unsent' });
    }
    expect(peer.text).toBe('news: 0\n');
  });

  it('goes out when the server shuts down, behind the last reply', async () => {
    peer.write('slow 1\n');
    await begun('1');
    running.server.emitTo(connection, 'news', 1);
    const closed = running.app.close();
    answer('1');
    await closed;
    await peer.ended;
    expect(lines()).toEqual(['=1', 'news: 1']);
  });

  it('beyond 1024 that wait behind a request that is never answered is not kept', async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    peer.write('slow 1\n');
    await begun('1');
    const emits = Array.from({ length: 1025 }, (_, data) =>
      outcomeOf(running.server.emitTo(connection, 'news', data)),
    );
    await expect(emits.at(-1)).resolves.toMatchObject({
      code: 'PIKE_ERR_QUEUE_FULL',
      delivery: 'unsent',
    });
    answer('1');
    await expect(Promise.all(emits.slice(0, -1))).resolves.toEqual(
      emits.slice(0, -1).map(() => []),
    );
    await peer.sees('news: 1023\n');
    expect(lines()).toHaveLength(1025);
    // Those that have gone out make room again.
    running.server.emitTo(connection, 'news', 'again');
    await peer.sees('again\n');
  });
});

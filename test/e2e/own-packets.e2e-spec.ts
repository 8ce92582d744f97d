// Prevents: a serializer or deserializer of one's own that takes its time, fails or gives nothing
// leaves a caller waiting, mixes up the order, or answers a caller with another's reply.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { rawMessages } from 'nestjs-pike';
import type {
  IncomingPacket,
  PacketDeserializer,
  PacketSerializer,
  PikeServerOptions,
  ReplyPacket,
} from 'nestjs-pike';
import { JsonConverter, LengthPrefixedConverter, textPayload } from 'nestjs-pike/converters';
import { from, Observable, throwError } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { muteLogger } from '../support/mute-logger.js';
import { RawPeer } from '../support/raw-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const heard: unknown[] = [];
let begun = 0;
let torndown = 0;

@Controller()
class WordsController {
  @MessagePattern('echo')
  echo(data: unknown) {
    if (data === 'nothing') return undefined;
    if (data === 'fails') return throwError(() => 'failed');
    if (data === 'empty') return from([]);
    return data;
  }

  @MessagePattern('forever')
  forever() {
    begun++;
    return new Observable(() => () => torndown++);
  }

  @EventPattern('heard')
  heard(data: unknown) {
    heard.push(data);
  }
}

/** Words of the wire: `id:pattern:data`, answered by `id:data` or `id!error`. */
const text: PacketDeserializer<IncomingPacket, string> = {
  deserialize: (message) => {
    const [id, pattern, data] = message.split(':');
    return { id: id === '' ? undefined : id, pattern, data };
  },
};
const replies: PacketSerializer<ReplyPacket, string> = {
  serialize: ({ id, response, err }) =>
    err === undefined ? `${id}:${String(response)}` : `${id}!${JSON.stringify(err)}`,
};

describe('a server with packets of its own', () => {
  let running: Running<string>;
  let peer: RawPeer;
  const warned: unknown[] = [];
  const begin = async (options: Partial<PikeServerOptions<string>>) => {
    running = await start<string>([WordsController], {
      converter: new LengthPrefixedConverter<string>({ bytes: 1, payload: textPayload }),
      shutdown: { deadline: 300 },
      ...options,
    });
    peer = await RawPeer.connect({ host: '127.0.0.1', port: running.port });
  };
  beforeEach(() => {
    heard.length = warned.length = begun = torndown = 0;
    muteLogger((entry) => warned.push(entry));
  });
  afterEach(async () => {
    await peer.destroy();
    await running.close();
    jest.restoreAllMocks();
  });

  const say = (...messages: string[]): void => {
    peer.write(messages.map((message) => String.fromCharCode(message.length) + message).join(''));
  };

  it('keeps the order of what a deserializer takes its time for', async () => {
    await begin({
      serializer: replies,
      deserializer: {
        deserialize: async (message) => {
          await pause(message.includes('1') ? 50 : 1);
          return text.deserialize(message);
        },
      },
    });
    say(':heard:1', ':heard:2', 'a:echo:3');
    await peer.sees('a:3');
    expect(heard).toEqual(['1', '2']);
  });

  it('handles the events of a peer that has left while the deserializer took its time, and no request', async () => {
    let deserialize = (): void => undefined;
    const free = new Promise<void>((resolve) => (deserialize = resolve));
    let deserialized = 0;
    await begin({
      serializer: replies,
      deserializer: {
        deserialize: async (message) => {
          deserialized++;
          await free;
          return text.deserialize(message);
        },
      },
    });
    const gone = new Promise((resolve) => running.server.on('remoteDisconnect', resolve));
    say(':heard:1', 'a:forever:2', ':heard:3');
    await eventually(() => deserialized === 3);
    await peer.destroy();
    await gone;
    deserialize();
    await eventually(() => heard.length === 2);
    expect({ heard, begun, torndown }).toEqual({ heard: ['1', '3'], begun: 0, torndown: 0 });
  });

  it.each<[string, PacketDeserializer<IncomingPacket, string>['deserialize']]>([
    ['rejects', () => Promise.reject(new Error('no packet'))],
    [
      'throws',
      () => {
        throw new Error('no packet');
      },
    ],
    ['returns undefined', () => undefined as never],
    ['resolves with null', () => Promise.resolve(null as never)],
  ])('ends the connection of a message whose deserializer %s', async (_, deserialize) => {
    await begin({ serializer: replies, deserializer: { deserialize } });
    say('a:echo:1', 'b:echo:1', 'c:echo:1');
    await peer.ended;
    expect(warned).toEqual([expect.stringContaining('no packet')]);
  });

  const late = async (packet: ReplyPacket) => {
    await pause(packet.response === '1' ? 50 : 1);
    return replies.serialize(packet);
  };
  it('keeps the order of what a serializer takes its time for', async () => {
    await begin({ deserializer: text, serializer: { serialize: late } });
    say('a:echo:1', 'b:echo:2');
    await peer.sees('b:2');
    expect(peer.text).toBe('\u0003a:1\u0003b:2');
  });

  const failing = (how: (error: Error) => never | Promise<never>) => ({
    serialize: (packet: ReplyPacket) =>
      packet.response === 'bad' ? how(new Error('no message')) : replies.serialize(packet),
  });
  it.each([
    [
      'throws',
      failing((error) => {
        throw error;
      }),
    ],
    [
      'rejects',
      failing(async (error) => {
        throw error;
      }),
    ],
  ])('answers with an error when the serializer %s, and lives', async (_, serializer) => {
    await begin({ deserializer: text, serializer });
    say('a:echo:bad', 'b:echo:good');
    await peer.sees('b:good');
    expect(await peer.sees('a!')).toContain('Internal server error');
  });

  it('ends the connection when not even the error can be serialized', async () => {
    await begin({
      deserializer: text,
      serializer: {
        serialize: () => {
          throw new Error('never');
        },
      },
    });
    say('a:echo:1');
    await peer.ended;
    expect(peer.bytesReceived).toBe(0);
  });

  it('ends the connection rather than leave a caller waiting for a message that cannot be encoded', async () => {
    await begin({
      deserializer: text,
      serializer: { serialize: ({ id, response }) => `${id}:${String(response).repeat(3)}` },
    });
    say('a:echo:1');
    await peer.sees('a:111');
    say(`b:echo:${'2'.repeat(100)}`);
    await peer.ended;
    expect(peer.text).toBe('\u0005a:111');
    expect(warned).toHaveLength(1);
  });

  it('answers with an error when a message that is an object cannot be encoded', async () => {
    const options = {
      converter: new JsonConverter<unknown>(),
      serializer: {
        serialize: ({ id, response, err }: ReplyPacket) => ({
          reply: [id, err ?? response],
          ...(response === 'bad' ? { circular: 1n } : {}),
        }),
      },
    };
    const server = await start<unknown>([WordsController], options);
    const other = await RawPeer.connect({ host: '127.0.0.1', port: server.port });
    for (const [id, data] of Object.entries({ a: 'bad', b: 'good' })) {
      const json = JSON.stringify({ id, pattern: 'echo', data });
      other.write(Buffer.concat([Buffer.from([0, 0, 0, json.length]), Buffer.from(json)]));
    }
    await other.sees('["b","good"]');
    await expect(other.sees('["a",')).resolves.toContain('Internal server error');
    await other.destroy();
    await server.close();
    await begin({ deserializer: text, serializer: replies });
  });

  it('sends nothing for what a serializer makes nothing of', async () => {
    await begin({
      deserializer: text,
      serializer: {
        serialize: (packet) =>
          packet.response === 'silent' ? undefined : replies.serialize(packet as ReplyPacket),
      },
    });
    say('a:echo:silent', 'b:echo:2');
    await peer.sees('b:2');
    expect(peer.text).toBe('\u0003b:2');
  });

  describe('and replies in order', () => {
    it('gives each request its own, though the serializer takes its time', async () => {
      await begin({
        deserializer: text,
        correlation: 'order',
        serializer: { serialize: ({ response }) => late({ id: 'x', response }) },
      });
      say('a:echo:1', 'b:echo:2', 'c:echo:3');
      await peer.sees('x:3');
      expect(peer.text).toBe('\u0003x:1\u0003x:2\u0003x:3');
    });

    it.each([
      [
        'rejects',
        failing(async (error) => {
          throw error;
        }),
      ],
      [
        'throws',
        failing((error) => {
          throw error;
        }),
      ],
    ])(
      'ends the connection behind the reply before, when the serializer %s',
      async (_, serializer) => {
        await begin({ deserializer: text, correlation: 'order', serializer });
        say('a:echo:1', 'b:echo:bad', 'c:echo:3', ':heard:4');
        await peer.ended;
        expect(peer.text).toBe('\u00030:1');
      },
    );

    it.each(['nothing', 'empty'])(
      'of raw messages: a handler that gives %s has failed',
      async (data) => {
        await begin({ ...rawMessages<string>('echo', { reply: true, error: () => 'ERR' }) });
        say('1', data, '3');
        await peer.sees('3');
        expect(peer.text).toBe('\u00011\u0003ERR\u00013');
      },
    );

    it.each(['nothing', 'empty', 'fails'])(
      'of raw messages that cannot say so: %s ends the connection',
      async (data) => {
        await begin({ ...rawMessages<string>('echo', { reply: true }) });
        say('1', data, '3');
        await peer.ended;
        expect(peer.text).toBe('\u00011');
      },
    );

    it('of raw messages: an error message that itself fails ends the connection', async () => {
      await begin({
        ...rawMessages<string>('echo', {
          reply: true,
          error: () => {
            throw new Error('not even that');
          },
        }),
      });
      say('1', 'fails', '3');
      await peer.ended;
      expect(peer.text).toBe('\u00011');
    });
  });
});

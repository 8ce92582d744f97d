// Prevents: handlers that are tested over a memory connector behave otherwise than over a socket: a
// reply, a stream, a lifecycle handler or what comes back at shutdown.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import type { INestMicroservice } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { OnFinishDisconnect, OnRemoteConnect, PikeServer } from 'nestjs-pike';
import type { FinishDisconnectEvent, RemoteConnectEvent } from 'nestjs-pike';
import { MessagePackConverter } from 'nestjs-pike/converters';
import type { Connection } from 'nestjs-pike/core';
import { MemoryConnector } from 'nestjs-pike/testing';
import { NEVER, from } from 'rxjs';
import { EventRecorder } from '../support/event-recorder.js';

const ended: FinishDisconnectEvent[] = [];

@Controller()
class AppController {
  @MessagePattern('sum')
  sum(numbers: number[]) {
    return numbers.reduce((total, number) => total + number, 0);
  }

  @MessagePattern('count')
  count(to: number) {
    return from(Array.from({ length: to }, (_, index) => index));
  }

  @MessagePattern('never')
  never() {
    return NEVER;
  }

  @OnRemoteConnect()
  connecting(event: RemoteConnectEvent) {
    event.finishAccept();
  }

  @OnFinishDisconnect()
  finished(event: FinishDisconnectEvent) {
    ended.push(event);
  }
}

describe('an application over a memory connector', () => {
  let app: INestMicroservice;
  let client: MemoryConnector<unknown>;
  let events: EventRecorder<unknown>;
  let connection: Connection;

  beforeEach(async () => {
    ended.length = 0;
    const converter = new MessagePackConverter();
    const strategy = new PikeServer({ connector: new MemoryConnector({ converter, port: 4000 }) });
    const testing = await Test.createTestingModule({ controllers: [AppController] }).compile();
    app = testing.createNestMicroservice({ strategy, logger: false });
    await app.listen();
    client = new MemoryConnector({ converter });
    await client.run();
    events = new EventRecorder(client);
    ({ connection } = await client.connectWaiting({ host: 'localhost', port: 4000 }));
  });
  afterEach(async () => {
    await client.shutdown({ now: true });
    await app.close();
  });

  it('answers', async () => {
    client.send(connection, { id: 1, pattern: 'sum', data: [1, 2, 3] });

    expect((await events.next('messageReceived')).message).toEqual({
      id: 1,
      response: 6,
      isDisposed: true,
    });
  });

  it('streams', async () => {
    client.send(connection, { id: 1, pattern: 'count', data: 3 });

    const replies: unknown[] = [];
    while ((replies.at(-1) as { isDisposed?: boolean })?.isDisposed !== true) {
      replies.push((await events.next('messageReceived')).message);
    }
    expect(replies).toEqual([
      { id: 1, response: 0 },
      { id: 1, response: 1 },
      { id: 1, response: 2, isDisposed: true },
    ]);
  });

  it('closes: ends its streams and its connections, and tells its handlers', async () => {
    client.send(connection, { id: 1, pattern: 'never' });
    client.send(connection, { id: 2, pattern: 'sum', data: [] });
    await events.next('messageReceived');

    await app.close();

    expect((await events.next('messageReceived')).message).toMatchObject({
      id: 1,
      err: { code: 'PIKE_ERR_INTERRUPTED' },
    });
    await events.next('remoteDisconnect');
    expect(ended).toMatchObject([{ queued: [], uncertain: [], error: undefined }]);
    expect(await client.connectWaiting({ host: 'localhost', port: 4000 })).toMatchObject({
      success: false,
    });
  });
});

// Prevents: a caller waits for ever, or cannot tell whether its failed request is safe to send again.
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Module } from '@nestjs/common';
import { ClientsModule, EventPattern, MessagePattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { isPikeError, PikeClient, PikeError } from 'nestjs-pike';
import { firstValueFrom, lastValueFrom, Observable, timeout } from 'rxjs';
import { freePort } from '../support/free-port.js';
import { RawListener } from '../support/raw-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

const torndown: string[] = [];
let onTorndown: () => void = () => undefined;
let subscribed: () => void = () => undefined;

@Controller()
class SlowController {
  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }

  @MessagePattern('never')
  never() {
    return new Promise(() => undefined);
  }

  @MessagePattern('forever')
  forever(name: string) {
    return new Observable((subscriber) => {
      subscriber.next('first');
      subscribed();
      return () => {
        torndown.push(name);
        onTorndown();
      };
    });
  }

  @EventPattern('noted')
  noted(data: unknown) {
    return data;
  }
}

describe('a client', () => {
  let running: Running;
  afterEach(async () => {
    await running.close();
    torndown.length = 0;
  });

  it('connects once for any number of callers', async () => {
    running = await start([SlowController]);
    const client = running.client();
    await Promise.all([client.connect(), client.connect(), firstValueFrom(client.send('echo', 1))]);
    expect([...running.server.unwrap().connections]).toHaveLength(1);
  });

  it('connects again after close', async () => {
    running = await start([SlowController]);
    const client = running.client();
    for (let round = 0; round < 3; round++) {
      await client.connect();
      await expect(firstValueFrom(client.send('echo', round))).resolves.toBe(round);
      await client.close();
    }
    await expect(firstValueFrom(client.send('echo', 'again'))).resolves.toBe('again');
  });

  it('tells its status', async () => {
    running = await start([SlowController]);
    const client = running.client();
    const statuses: string[] = [];
    client.status.subscribe((status) => statuses.push(status));
    await client.connect();
    await client.close();
    await client.connect();
    await client.close();
    expect(statuses).toEqual(['connected', 'disconnected', 'connected', 'disconnected']);
  });

  it('fails requests as in doubt when it is closed before their replies', async () => {
    running = await start([SlowController], { shutdown: { mode: 'now' } });
    const client = running.client();
    await client.connect();
    const failed = firstValueFrom(client.send('never', {})).catch((error: unknown) => error);
    await firstValueFrom(client.send('echo', 1));
    await client.close();
    await expect(failed).resolves.toMatchObject({
      code: 'PIKE_ERR_CLIENT_CLOSED',
      delivery: 'in-doubt',
    });
  });

  it('tears the handler down when the caller unsubscribes', async () => {
    running = await start([SlowController]);
    const client = running.client();
    const done = new Promise<void>((resolve) => {
      onTorndown = resolve;
    });
    await expect(firstValueFrom(client.send('forever', 'mine'))).resolves.toBe('first');
    await done;
    expect(torndown).toEqual(['mine']);
    await expect(firstValueFrom(client.send('echo', 1))).resolves.toBe(1);
  });

  it('tears the handler down when the caller is gone', async () => {
    running = await start([SlowController]);
    const client = running.client();
    const done = new Promise<void>((resolve) => {
      onTorndown = resolve;
    });
    const began = new Promise<void>((resolve) => {
      subscribed = resolve;
    });
    const failed = lastValueFrom(client.send('forever', 'gone')).catch((error: unknown) => error);
    await began;
    await client.close();
    await done;
    expect(torndown).toEqual(['gone']);
    expect(isPikeError(await failed)).toBe(true);
  });
});

describe('a client whose server fails', () => {
  it('rejects the callers when nobody listens, as unsent, and can be used again', async () => {
    const port = await freePort();
    const client = new PikeClient({ port });
    const refused = { code: 'PIKE_ERR_CONNECT_FAILED', delivery: 'unsent' };
    await expect(client.connect()).rejects.toMatchObject(refused);
    await expect(firstValueFrom(client.send('echo', 1))).rejects.toMatchObject(refused);
    await expect(lastValueFrom(client.emit('noted', 1))).rejects.toMatchObject(refused);
    await client.close();
  });

  it('says which requests are in doubt and which were never sent', async () => {
    const listener = await RawListener.listen({ reading: false });
    const { port } = listener.address as { port: number };
    const client = new PikeClient({ port, chunkBytes: 65_536, retryUnsent: false });
    const accepting = listener.accept();
    await client.connect();
    const peer = await accepting;
    // Far more than the kernel takes, so that most of it waits when the peer is lost.
    const errors: unknown[] = [];
    const settled = Array.from({ length: 300 }, (_, index) =>
      firstValueFrom(client.send('upload', 'x'.repeat(100_000) + index)).catch((error: unknown) =>
        errors.push(error),
      ),
    );
    const event = lastValueFrom(client.emit('noted', 1)).catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(resolve));
    peer.reset();
    await Promise.all(settled);
    const deliveries = errors.map((error) => (error as PikeError).delivery);
    expect(deliveries).toContain('unsent');
    expect(deliveries).toContain('in-doubt');
    // In order: those in doubt were given first.
    expect(deliveries.lastIndexOf('in-doubt')).toBeLessThan(deliveries.indexOf('unsent'));
    await expect(event).resolves.toMatchObject({ delivery: 'unsent' });
    await client.close();
    await listener.close();
  });

  it('ends the connection when the server sends something that is no reply', async () => {
    const listener = await RawListener.listen();
    const { port } = listener.address as { port: number };
    const client = new PikeClient({ port });
    const accepting = listener.accept();
    const failed = firstValueFrom(client.send('echo', 1)).catch((error: unknown) => error);
    const peer = await accepting;
    await peer.bytes(1);
    peer.write(Buffer.from([0, 0, 0, 1, 0xc1]));
    await expect(failed).resolves.toMatchObject({
      code: 'PIKE_ERR_MALFORMED',
      delivery: 'in-doubt',
    });
    await client.close();
    await listener.close();
  });

  it('fails an event that cannot be serialized, and only that one', async () => {
    const running = await start([SlowController]);
    const client = running.client();
    await client.connect();
    const outcomes = await Promise.allSettled([
      lastValueFrom(client.emit('noted', 1)),
      lastValueFrom(client.emit('noted', { value: () => 'a function' })),
      lastValueFrom(client.emit('noted', 2)),
      firstValueFrom(client.send('echo', { value: () => 'a function' })),
      firstValueFrom(client.send('echo', 3)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') {
        expect(outcome.reason).toMatchObject({ name: 'PikeError', delivery: 'unsent' });
      }
    }
    await running.close();
  });

  it('gives up connecting when it is closed', async () => {
    const listener = await RawListener.listen();
    const { port } = listener.address as { port: number };
    const client = new PikeClient({ port });
    const connecting = client.connect().catch((error: unknown) => error);
    await client.close();
    await expect(connecting).resolves.toMatchObject({ code: 'PIKE_ERR_CONNECT_ABORTED' });
    await listener.close();
  });
});

describe('a client from ClientsModule', () => {
  it('is injectable, registered synchronously or not, and closed with the application', async () => {
    const running = await start([SlowController]);
    const { port } = running;

    @Module({
      imports: [
        ClientsModule.register([{ name: 'ONE', customClass: PikeClient, options: { port } }]),
        ClientsModule.registerAsync([
          {
            name: 'TWO',
            useFactory: () => ({ customClass: PikeClient, options: { port } }),
          },
        ]),
      ],
    })
    class CallerModule {}

    const caller = await Test.createTestingModule({ imports: [CallerModule] }).compile();
    await caller.init();
    for (const name of ['ONE', 'TWO']) {
      const client = caller.get<PikeClient>(name);
      await expect(firstValueFrom(client.send('echo', name).pipe(timeout(5000)))).resolves.toBe(
        name,
      );
    }
    const statuses: string[] = [];
    caller.get<PikeClient>('ONE').status.subscribe((status) => statuses.push(status));
    await caller.close();
    expect(statuses).toEqual(['connected', 'disconnected']);
    await running.close();
  });
});

describe('wrong options', () => {
  it.each([
    [{}, 'port'],
    [{ port: 0 }, 'port'],
    [{ port: 70_000 }, 'port'],
    [{ port: 4000, ports: 1 }, 'ports'],
    [{ port: 4000, correlation: 'luck' }, 'correlation'],
    [{ port: 4000, serializer: {} }, 'serializer'],
    [{ port: 4000, shutdown: { mode: 'later' } }, 'shutdown.mode'],
    [{ port: 4000, maxMessageBytes: -1 }, 'maxMessageBytes'],
  ])('%j are refused, naming the option', (options, name) => {
    expect(() => new PikeClient(options as never)).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_INVALID_OPTION',
        message: expect.stringContaining(`"${name}"`),
      }),
    );
  });
});

// Prevents: a device that nobody can connect to cannot be called either; a call to it that waits for
// ever, or whose caller cannot tell whether the device has acted; a request taken for a reply because
// both sides count from 1.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { FinishConnectEvent, OnFinishConnect, OnRemoteConnect, PikeContext } from 'nestjs-pike';
import type { Connection, PikeServerOptions, RemoteConnectEvent } from 'nestjs-pike';
import { firstValueFrom, lastValueFrom, Observable, of, timeout, toArray } from 'rxjs';
import { Notes } from './notes.js';
import type { Launched, Running } from './support.js';
import { launch, start } from './support.js';

const notes = new Notes();

@Controller()
class DeviceController {
  @OnFinishConnect()
  connected(@Payload() event: FinishConnectEvent, @Ctx() context: PikeContext) {
    if (event.success) context.emit('iam', 'thermometer');
  }

  @MessagePattern('read')
  read(@Payload() data: unknown) {
    return { read: data };
  }

  @MessagePattern('readings')
  readings() {
    return of(20, 21, 22);
  }

  @MessagePattern('forever')
  forever() {
    return new Observable((subscriber) => {
      subscriber.next('first');
      return () => notes.add('torn down');
    });
  }

  @MessagePattern('break')
  break() {
    throw new RpcException({ code: 'E_BROKEN', message: 'the sensor is broken' });
  }

  @MessagePattern('never')
  never() {
    notes.add('asked');
    return new Promise(() => undefined);
  }

  @MessagePattern('relay')
  relay(@Payload() text: string, @Ctx() context: PikeContext) {
    return context.send('upper', text);
  }

  @EventPattern<string>('set')
  set(value: unknown) {
    notes.add(`set ${String(value)}`);
  }
}

let device: Connection;

@Controller()
class GatewayController {
  @EventPattern<string>('iam')
  iam(@Payload() name: string, @Ctx() context: PikeContext) {
    device = context.getConnection();
    notes.add(`it is ${name}`);
  }

  @MessagePattern('upper')
  upper(text: string) {
    return text.toUpperCase();
  }

  @MessagePattern('ask back')
  async askBack(@Payload() times: number, @Ctx() context: PikeContext) {
    const answers: unknown[] = [];
    for (let i = 0; i < times; i++) answers.push(await firstValueFrom(context.send('read', i)));
    return answers;
  }
}

describe('a gateway and a device that has connected to it', () => {
  let gateway: Running;
  let machine: Launched;
  const begin = async (
    gatewayOptions: Partial<PikeServerOptions> = {},
    deviceOptions: Partial<PikeServerOptions> = {},
  ) => {
    gateway = await start([GatewayController], gatewayOptions);
    machine = await launch([DeviceController], {
      connect: [{ host: '127.0.0.1', port: gateway.port }],
      ...deviceOptions,
    });
    await notes.seen('it is thermometer');
  };
  beforeEach(() => notes.clear());
  afterEach(async () => {
    await machine.app.close();
    await gateway.close();
  });
  const call = (pattern: string, data: unknown = {}) =>
    gateway.server.sendTo(device, pattern, data);

  it('have one connection, on which each knows which side it is', async () => {
    await begin();
    const [theirs] = machine.server.unwrap().connections;
    expect(device.inbound).toBe(true);
    expect(theirs).toMatchObject({
      inbound: false,
      remote: { host: '127.0.0.1', port: gateway.port },
    });
    expect(device.remote).toEqual(theirs?.local);
    expect([...gateway.server.unwrap().connections]).toEqual([device]);
    expect(machine.server.address).toBeUndefined();
  });

  it('the gateway calls its handlers: one reply, a stream, an error, none at all', async () => {
    await begin();
    await expect(firstValueFrom(call('read', { channel: 3 }))).resolves.toEqual({
      read: { channel: 3 },
    });
    await expect(lastValueFrom(call('readings').pipe(toArray()))).resolves.toEqual([20, 21, 22]);
    await expect(firstValueFrom(call('break'))).rejects.toEqual({
      code: 'E_BROKEN',
      message: 'the sensor is broken',
    });
    await expect(firstValueFrom(call('unheard of'))).rejects.toContain('no matching message');
  });

  it('the gateway sends a request when it is subscribed to, each time, and not before', async () => {
    await begin();
    const reading = call('read', 1);
    await lastValueFrom(gateway.server.emitTo(device, 'set', 'in between'));
    await expect(firstValueFrom(reading)).resolves.toEqual({ read: 1 });
    await expect(firstValueFrom(reading)).resolves.toEqual({ read: 1 });
  });

  it('the gateway tears the stream down that it no longer wants', async () => {
    await begin();
    await expect(firstValueFrom(call('forever'))).resolves.toBe('first');
    await notes.seen('torn down');
    await expect(firstValueFrom(call('read', 1))).resolves.toEqual({ read: 1 });
  });

  it('the device, told an event, has it once the Observable completes or soon after', async () => {
    await begin();
    await expect(lastValueFrom(gateway.server.emitTo(device, 'set', 7))).resolves.toBeUndefined();
    await notes.seen('set 7');
    // Without anybody who subscribes, too.
    gateway.server.emitTo(device, 'set', 8);
    await notes.seen('set 8');
    expect(notes.count('set 8')).toBe(1);
  });

  it('both ask at the same time, with the same ids, and each gets its own answers', async () => {
    await begin();
    const server = machine.server;
    const [theirs] = server.unwrap().connections;
    const downwards = Array.from({ length: 50 }, (_, i) => firstValueFrom(call('read', i)));
    const upwards = Array.from({ length: 50 }, (_, i) =>
      firstValueFrom(server.sendTo(theirs!, 'upper', `text ${i}`)),
    );
    await expect(Promise.all(downwards)).resolves.toEqual(
      Array.from({ length: 50 }, (_, i) => ({ read: i })),
    );
    await expect(Promise.all(upwards)).resolves.toEqual(
      Array.from({ length: 50 }, (_, i) => `TEXT ${i}`),
    );
  });

  it('a handler asks back on the connection that its request came from, either way', async () => {
    await begin();
    await expect(firstValueFrom(call('relay', 'louder'))).resolves.toBe('LOUDER');
    const [theirs] = machine.server.unwrap().connections;
    const asked = machine.server.sendTo(theirs!, 'ask back', 3);
    await expect(firstValueFrom(asked)).resolves.toEqual([{ read: 0 }, { read: 1 }, { read: 2 }]);
  });

  it('a request that is never answered ends with its caller, its connection or the server', async () => {
    await begin({ shutdown: { deadline: 300 } }, { shutdown: { mode: 'now' } });
    await expect(firstValueFrom(call('never').pipe(timeout(20)))).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    const failed = firstValueFrom(call('never')).catch((error: unknown) => error);
    await notes.seen('asked', 2);
    await machine.app.close();
    await expect(failed).resolves.toMatchObject({
      name: 'PikeError',
      code: expect.stringMatching(/PIKE_ERR_(REMOTE_ENDED|CONNECTION_LOST)/),
      delivery: 'in-doubt',
    });
  });

  it('a request that waits when the gateway closes fails with that reason', async () => {
    await begin({ shutdown: { mode: 'now' } }, { shutdown: { mode: 'now' } });
    const failed = firstValueFrom(call('never')).catch((error: unknown) => error);
    await notes.seen('asked');
    await gateway.app.close();
    await expect(failed).resolves.toMatchObject({
      code: 'PIKE_ERR_SHUT_DOWN',
      delivery: 'in-doubt',
    });
  });

  it('what is sent to a connection that has ended fails as unsent', async () => {
    await begin();
    await machine.app.close();
    await gateway.app.close();
    const attempts: Observable<unknown>[] = [call('read'), gateway.server.emitTo(device, 'set', 1)];
    for (const attempt of attempts) {
      await expect(lastValueFrom(attempt)).rejects.toMatchObject({
        code: 'PIKE_ERR_NOT_RUNNING',
        delivery: 'unsent',
      });
    }
    expect(gateway.server.join(device, 'group')).toBe(false);
    expect(gateway.server.leave(device, 'group')).toBe(false);
  });
});

describe('a peer that is being accepted', () => {
  @Controller()
  class GreetingController {
    @OnRemoteConnect()
    greet(@Payload() event: RemoteConnectEvent, @Ctx() context: PikeContext) {
      context.emit('set', 'greeting').subscribe({
        complete: () => notes.add('greeting sent'),
        error: (error: { delivery: string }) => notes.add(`greeting ${error.delivery}`),
      });
      if (context.join('lobby')) notes.add('joined');
      notes.add(`in the lobby: ${context.group('lobby').connections.length}`);
      if (accepting) event.finishAccept();
    }
  }

  let accepting = true;
  let running: Running;
  let machine: Launched;
  beforeEach(async () => {
    notes.clear();
    running = await start([GreetingController]);
  });
  afterEach(async () => {
    await machine.app.close();
    await running.close();
  });
  const connect = async () => {
    machine = await launch([DeviceController], {
      connect: [{ host: '127.0.0.1', port: running.port }],
      reconnect: { minDelay: 100_000, maxDelay: 100_000 },
    });
  };

  it('receives what was sent to it once it is accepted, and is in its groups from then on', async () => {
    accepting = true;
    await connect();
    await notes.seen('set greeting');
    await notes.seen('greeting sent');
    expect(notes.all).toContain('in the lobby: 0');
    expect(running.server.group('lobby').connections).toHaveLength(1);
  });

  it('receives nothing if it is refused, and the sender knows', async () => {
    accepting = false;
    await connect();
    await notes.seen('greeting unsent');
    expect(notes.all).not.toContain('set greeting');
    expect(running.server.group('lobby').connections).toEqual([]);
  });
});

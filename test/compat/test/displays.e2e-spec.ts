import { INestMicroservice, Injectable, Module } from '@nestjs/common';
import { MicroserviceOptions } from '@nestjs/microservices';
import { Test, TestingModule } from '@nestjs/testing';
import {
  getPikeServerToken,
  InjectPikeClient,
  PikeClient,
  PikeModule,
  PikeServer,
} from 'nestjs-pike';
import { JsonConverter } from 'nestjs-pike/converters';
import { NetConnector } from 'nestjs-pike/core';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { DisplaysModule } from './../src/displays.module.js';
import { Echo, LampController } from './../src/lamp.controller.js';
import { WIRE, WireModule } from './../src/wire.module.js';

@Injectable()
class Displays {
  constructor(
    @InjectPikeClient('ONE') readonly one: PikeClient,
    @InjectPikeClient('OTHER') readonly other: PikeClient,
  ) {}
}

@Module({
  imports: [PikeModule, WireModule],
  controllers: [LampController],
  providers: [Echo],
})
class LampModule {}

const host = '127.0.0.1';

describe('An application with PikeModule', () => {
  let app: INestMicroservice;
  let callers: TestingModule;
  let displays: Displays;
  let port: number;

  beforeEach(async () => {
    const server = new PikeServer({ host, port: 0 });
    const testing = await Test.createTestingModule({ imports: [DisplaysModule] }).compile();
    app = testing.createNestMicroservice<MicroserviceOptions>({ strategy: server, logger: false });
    await app.listen();
    const { address } = server;
    if (address === undefined || !('port' in address)) throw new Error('It does not listen.');
    port = address.port;

    const [one, other] = ['ONE', 'OTHER'].map((name) => ({ name, host, port, converter: WIRE }));
    callers = await Test.createTestingModule({
      imports: [WireModule, PikeModule.registerClient(one!, other!)],
      providers: [Displays],
    }).compile();
    await callers.init();
    displays = callers.get(Displays);
  });

  afterEach(async () => {
    await callers.close();
    await app.close();
  });

  it('has one converter, which Nest makes, for its servers and clients', async () => {
    const connector = new NetConnector<unknown>({ converter: new JsonConverter() });
    await connector.run();
    const connection = connector.connect({ host, port });
    connector.send(connection, { id: 1, pattern: 'join', data: 'red' });
    const received: unknown[] = [];
    for await (const event of connector) {
      if (event.type === 'messageReceived') received.push(event.message);
      if (received.length === 2) break;
    }
    await connector.shutdown({ now: true });
    expect(received).toEqual([
      { pattern: 'welcome', data: 'red' },
      { id: 1, response: true, isDisposed: true },
    ]);
  });

  it('has its server injected, which is that of the application', async () => {
    const injected = app.get<PikeServer>(getPikeServerToken());
    expect(injected.address).toEqual({ host, port });
  });

  it('pushes to one, to a group, and to all others', async () => {
    const { one, other } = displays;
    const welcome = firstValueFrom(one.events('welcome'));
    await expect(lastValueFrom(one.send('join', 'red'))).resolves.toBe(true);
    await expect(welcome).resolves.toBe('red');
    await other.connect();

    const first = firstValueFrom(one.events('show'));
    const toTeam = other.send('tell the team', { team: 'red', text: 'stop' });
    await expect(lastValueFrom(toTeam)).resolves.toBe(1);
    await expect(first).resolves.toBe('stop');

    const second = firstValueFrom(other.events('show'));
    await expect(lastValueFrom(one.send('tell the others', 'go'))).resolves.toBe(1);
    await expect(second).resolves.toBe('go');

    const third = firstValueFrom(other.events('show'));
    await expect(lastValueFrom(other.send('tell me', 'well'))).resolves.toBe('told');
    await expect(third).resolves.toBe('well');
  });

  it('asks a peer that has connected by itself', async () => {
    const lamp = new PikeServer({ connect: [{ host, port }], converter: WIRE });
    const testing = await Test.createTestingModule({ imports: [LampModule] }).compile();
    const device = testing.createNestMicroservice<MicroserviceOptions>({
      strategy: lamp,
      logger: false,
    });
    await device.listen();
    await expect(device.get(Echo).brightness).resolves.toBe(80);
    await device.close();
  });
});

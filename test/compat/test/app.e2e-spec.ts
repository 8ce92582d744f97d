import { INestApplication, INestMicroservice, Module } from '@nestjs/common';
import { ClientsModule, MicroserviceOptions } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { isPikeError, PikeClient, PikeError, PikeServer, rawMessages } from 'nestjs-pike';
import { NetConnector, PikeError as CorePikeError } from 'nestjs-pike/core';
import { lastValueFrom, take, toArray } from 'rxjs';
import { LinesConverter } from './../src/lines.converter.js';
import { Peers } from './../src/peers.js';
import { ReadingsModule } from './../src/readings.module.js';

function portOf(server: PikeServer<never>): number {
  const { address } = server;
  if (address === undefined || !('port' in address)) throw new Error('It does not listen.');
  return address.port;
}

describe('A microservice', () => {
  let app: INestMicroservice;
  let client: PikeClient;
  let peers: Peers;

  beforeEach(async () => {
    const server = new PikeServer({ host: '127.0.0.1', port: 0 });
    const testing = await Test.createTestingModule({ imports: [ReadingsModule] }).compile();
    app = testing.createNestMicroservice<MicroserviceOptions>({ strategy: server, logger: false });
    await app.listen();
    peers = app.get(Peers);
    client = new PikeClient({ port: portOf(server as PikeServer<never>) });
  });

  afterEach(async () => {
    await client.close();
    await app.close();
  });

  it('answers requests', async () => {
    await expect(lastValueFrom(client.send('sum', [1, 2, 3]))).resolves.toBe(6);
    await expect(lastValueFrom(client.send({ cmd: 'square' }, '7'))).resolves.toBe(49);
  });

  it('streams, from an Observable and from a generator', async () => {
    const ticks = client.send<number>('ticks', 5).pipe(take(3), toArray());
    await expect(lastValueFrom(ticks)).resolves.toEqual([5, 6, 7]);
    await peers.until('torn down');
    const letters = client.send<string>('letters', 'abc').pipe(toArray());
    await expect(lastValueFrom(letters)).resolves.toEqual(['a', 'b', 'c']);
  });

  it('takes events', async () => {
    await lastValueFrom(client.emit('noted', 'well'), { defaultValue: undefined });
    await peers.until('noted well');
  });

  it("passes the handlers' errors on", async () => {
    const failure = lastValueFrom(client.send('fails', 1));
    await expect(failure).rejects.toMatchObject({ code: 'MINE', message: 'on purpose' });
    await expect(lastValueFrom(client.send('unknown', 1))).rejects.toContain('no matching');
  });

  it('tells of its connections', async () => {
    await client.connect();
    await peers.until('accepted');
    await client.close();
    await peers.until('left');
  });
});

it('A protocol of its own, spoken by a connector without Nest', async () => {
  const converter = new LinesConverter();
  const server = new PikeServer({
    host: '127.0.0.1',
    port: 0,
    converter,
    ...rawMessages<string>('line', { reply: true }),
  });
  const testing = await Test.createTestingModule({ imports: [ReadingsModule] }).compile();
  const app = testing.createNestMicroservice({ strategy: server, logger: false });
  await app.listen();
  const connector = new NetConnector({ converter });
  await connector.run();
  const connection = connector.connect({
    host: '127.0.0.1',
    port: portOf(server as PikeServer<never>),
  });
  connector.send(connection, 'quiet');
  const received: string[] = [];
  for await (const event of connector) {
    if (event.type !== 'messageReceived') continue;
    received.push(event.message);
    break;
  }
  await connector.shutdown({ finishQueues: true });
  await app.close();
  expect(received).toEqual(['QUIET']);
});

it('A hybrid application, whose client is injected', async () => {
  const server = new PikeServer({ host: '127.0.0.1', port: 0 });
  const testing = await Test.createTestingModule({ imports: [ReadingsModule] }).compile();
  const app: INestApplication = testing.createNestApplication({ logger: false });
  app.connectMicroservice<MicroserviceOptions>({ strategy: server });
  await app.startAllMicroservices();
  await app.listen(0);
  const port = portOf(server as PikeServer<never>);

  @Module({
    imports: [
      ClientsModule.register([{ name: 'SUMS', customClass: PikeClient, options: { port } }]),
    ],
  })
  class CallerModule {}
  const caller = await Test.createTestingModule({ imports: [CallerModule] }).compile();
  await caller.init();
  const client = caller.get<PikeClient>('SUMS');
  await expect(lastValueFrom(client.send('sum', [4, 5]))).resolves.toBe(9);
  await caller.close();
  await app.close();
});

it('Failures on the way carry their delivery, and are known to both entry points', async () => {
  const client = new PikeClient({ path: '/nobody/listens/here' });
  const error: unknown = await lastValueFrom(client.send('sum', [1])).catch((e: unknown) => e);
  expect(isPikeError(error)).toBe(true);
  expect(error).toMatchObject({ code: 'PIKE_ERR_CONNECT_FAILED', delivery: 'unsent' });
  expect(CorePikeError).toBe(PikeError);
});

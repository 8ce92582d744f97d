// Prevents: a load balancer that sends on to a server which drains or is closed, or to an application
// whose client has lost its server; a health check that shows what was, not what is.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import {
  getPikeClientToken,
  InjectPikeClient,
  InjectPikeServer,
  PikeClient,
  PikeModule,
  PikeServer,
} from 'nestjs-pike';
import { PikeHealthIndicator } from 'nestjs-pike/terminus';
import { firstValueFrom, NEVER } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { muteLogger } from '../support/mute-logger.js';
import { PacketPeer } from './packet-peer.js';
import { start } from './support.js';

let begun = 0;

@Controller()
class WaitingController {
  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }

  @MessagePattern('endless')
  async endless() {
    begun++;
    await firstValueFrom(NEVER);
  }
}

@Controller()
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly pike: PikeHealthIndicator,
    @InjectPikeServer() private readonly server: PikeServer,
    @InjectPikeClient('upstream') private readonly upstream: PikeClient,
  ) {}

  @Get('server')
  @HealthCheck()
  ofServer() {
    return this.health.check([() => this.pike.checkServer('devices', this.server)]);
  }

  @Get('client')
  @HealthCheck()
  ofClient() {
    return this.health.check([() => this.pike.checkClient('upstream', this.upstream)]);
  }
}

describe('health checks', () => {
  let app: INestApplication;
  let server: PikeServer;
  let upstreamPort: number;
  let url: string;

  beforeEach(async () => {
    begun = 0;
    upstreamPort = await freePort();
    muteLogger();
    const reconnect = { minDelay: 1, maxDelay: 1 };
    const endpoint = { host: '127.0.0.1', port: upstreamPort };

    @Module({
      imports: [
        TerminusModule,
        PikeModule,
        PikeModule.registerClient({ name: 'upstream', ...endpoint, reconnect }),
      ],
      controllers: [HealthController, WaitingController],
      providers: [PikeHealthIndicator],
    })
    class AppModule {}

    const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = testing.createNestApplication();
    server = new PikeServer({ host: '127.0.0.1', port: 0, shutdown: { deadline: 300 } });
    app.connectMicroservice<MicroserviceOptions>({ strategy: server });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });
  afterEach(async () => {
    await app.close();
    jest.restoreAllMocks();
  });

  /** What the endpoint answers: the HTTP status, and the details of the one thing that it checks. */
  const ask = async (path: 'server' | 'client'): Promise<{ http: number; shown: unknown }> => {
    const response = await fetch(`${url}/${path}`);
    const { details } = (await response.json()) as { details: Record<string, unknown> };
    expect(Object.keys(details)).toEqual([path === 'server' ? 'devices' : 'upstream']);
    return { http: response.status, shown: Object.values(details)[0] };
  };

  const port = (): number => (server.address as { port: number }).port;

  it('show a server that listens, and its connections', async () => {
    const { address } = server;
    const up = (connections: number): unknown => ({
      http: 200,
      shown: { status: 'up', state: 'listening', address, connections },
    });
    await expect(ask('server')).resolves.toEqual(up(0));
    const peer = await PacketPeer.connect(port());
    await eventually(() => Array.from(server.unwrap().connections).length === 1);
    await expect(ask('server')).resolves.toEqual(up(1));
    await peer.raw.destroy();
  });

  it('show a server that drains, then is closed, as down', async () => {
    const peer = await PacketPeer.connect(port());
    peer.send({ id: 1, pattern: 'endless', data: {} });
    await eventually(() => begun === 1);
    const drained = server.drain();
    await expect(ask('server')).resolves.toEqual({
      http: 503,
      shown: { status: 'down', state: 'draining', connections: 1 },
    });
    await drained;
    await expect(ask('server')).resolves.toEqual({
      http: 503,
      shown: { status: 'down', state: 'closed', connections: 0 },
    });
  });

  it('show a client that was never used, or cannot connect, as down, and why', async () => {
    const client = app.get<PikeClient>(getPikeClientToken('upstream'));
    const down = { http: 503, shown: { status: 'down', state: 'disconnected' } };
    await expect(ask('client')).resolves.toEqual(down);
    await expect(client.connect()).rejects.toThrow('ECONNREFUSED');
    await expect(ask('client')).resolves.toMatchObject({
      http: 503,
      shown: { state: 'disconnected', lastError: { code: 'PIKE_ERR_CONNECT_FAILED' } },
    });
  });

  it('follow a client: connected, reconnecting with the error, and connected again', async () => {
    const client = app.get<PikeClient>(getPikeClientToken('upstream'));
    const connected = { http: 200, shown: { status: 'up', state: 'connected' } };
    const upstream = await start([WaitingController], { port: upstreamPort });
    await client.connect();
    await expect(ask('client')).resolves.toEqual(connected);

    await upstream.close();
    await eventually(() => client.state === 'reconnecting');
    await expect(ask('client')).resolves.toEqual({
      http: 503,
      shown: {
        status: 'down',
        state: 'reconnecting',
        lastError: { code: expect.stringMatching(/^PIKE_ERR_/), message: expect.any(String) },
      },
    });

    const again = await start([WaitingController], { port: upstreamPort });
    await client.connect();
    await expect(ask('client')).resolves.toEqual(connected);
    await client.close();
    await expect(ask('client')).resolves.toEqual({
      http: 503,
      shown: { status: 'down', state: 'disconnected' },
    });
    await again.close();
  });

  it('show a server that only connects as up while it is connected to anybody', async () => {
    const { checkServer } = indicator(app);
    const gateway = await start([WaitingController], { port: upstreamPort });
    const device = new PikeServer({
      connect: [{ host: '127.0.0.1', port: upstreamPort }],
      reconnect: { minDelay: 1, maxDelay: 1 },
    });
    expect(checkServer(device)).toMatchObject({ status: 'down', state: 'closed' });
    expect(await new Promise((told) => device.listen(told))).toBeUndefined();
    await eventually(() => checkServer(device).status === 'up');
    expect(checkServer(device)).toEqual({ status: 'up', state: 'connected', connections: 1 });
    await gateway.close();
    await eventually(() => checkServer(device).status === 'down');
    expect(checkServer(device)).toMatchObject({ state: 'disconnected' });
    await device.close();
  });
});

function indicator(app: INestApplication) {
  const pike = app.get(PikeHealthIndicator);
  return { checkServer: (server: PikeServer) => pike.checkServer('device', server).device };
}

import { fileURLToPath } from 'node:url';
import {
  ClientGrpcProxy,
  ClientNats,
  ClientRedis,
  ClientTCP,
  Transport,
} from '@nestjs/microservices';
import { PikeClient, PikeServer } from 'nestjs-pike';
import { JsonConverter } from 'nestjs-pike/converters';
import { map } from 'rxjs/operators';

const host = '127.0.0.1';
const protoPath = fileURLToPath(new URL('sums.proto', import.meta.url));
const grpc = (port) => ({ url: `${host}:${port}`, package: 'sums', protoPath });
const nats = (port) => ({ servers: [`nats://${host}:${port}`] });

/** Asks by Nest's own client interface. */
const proxy = (client) => ({
  connect: () => client.connect(),
  sum: (numbers) => client.send('sum', numbers),
  values: (count) => client.send('values', count),
  close: () => client.close(),
});

function grpcCaller(client) {
  const service = client.getService('Sums');
  return {
    connect: () => Promise.resolve(),
    sum: (numbers) => service.sum({ numbers }).pipe(map(({ total }) => total)),
    values: (count) => service.values({ count }).pipe(map(({ value }) => value)),
    close: () => client.close(),
  };
}

/**
 * Each transport: the options of its microservice and the client that asks it. Default options
 * everywhere: what a user gets.
 */
export const TRANSPORTS = {
  'nestjs-pike, MessagePack': {
    server: (port) => ({ strategy: new PikeServer({ host, port }) }),
    client: (port) => proxy(new PikeClient({ host, port })),
  },
  'nestjs-pike, JSON': {
    server: (port) => ({
      strategy: new PikeServer({ host, port, converter: new JsonConverter() }),
    }),
    client: (port) => proxy(new PikeClient({ host, port, converter: new JsonConverter() })),
  },
  'built-in TCP': {
    packages: ['@nestjs/microservices'],
    server: (port) => ({ transport: Transport.TCP, options: { host, port } }),
    client: (port) => proxy(new ClientTCP({ host, port })),
  },
  NATS: {
    broker: (port) => ['nats-server', '--addr', host, '--port', `${port}`, '--log', '/dev/null'],
    packages: ['@nats-io/transport-node'],
    server: (port) => ({ transport: Transport.NATS, options: nats(port) }),
    client: (port) => proxy(new ClientNats(nats(port))),
  },
  Redis: {
    broker: (port) => ['redis-server', '--bind', host, '--port', `${port}`, '--save', ''],
    packages: ['ioredis'],
    server: (port) => ({ transport: Transport.REDIS, options: { host, port } }),
    client: (port) => proxy(new ClientRedis({ host, port })),
  },
  gRPC: {
    packages: ['@grpc/grpc-js', '@grpc/proto-loader'],
    server: (port) => ({ transport: Transport.GRPC, options: grpc(port) }),
    client: (port) => grpcCaller(new ClientGrpcProxy(grpc(port))),
  },
};

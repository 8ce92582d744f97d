import 'reflect-metadata';
import type { INestMicroservice, Type } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { PikeClient, PikeServer } from 'nestjs-pike';
import type { PikeClientOptions, PikeServerOptions } from 'nestjs-pike';

/** An application with one Pike server, wherever that listens or connects to. */
export interface Launched<T = unknown> {
  app: INestMicroservice;
  server: PikeServer<T>;
}

/** A running application whose server listens, and what is needed to talk to it. */
export interface Running<T = unknown> extends Launched<T> {
  port: number;
  client(options?: Partial<PikeClientOptions<T>>): PikeClient<T>;
  /** Closes every client, then the application. */
  close(): Promise<void>;
}

/** Starts an application with these controllers. */
export async function launch<T = unknown>(
  controllers: Type<unknown>[],
  options: PikeServerOptions<T>,
  providers: Type<unknown>[] = [],
): Promise<Launched<T>> {
  @Module({ controllers, providers })
  class AppModule {}

  const server = new PikeServer<T>(options);
  const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
  const app = testing.createNestMicroservice({ strategy: server, logger: false });
  await app.listen();
  return { app, server };
}

/** Starts an application with these controllers on a free port of 127.0.0.1. */
export async function start<T = unknown>(
  controllers: Type<unknown>[],
  options: Partial<PikeServerOptions<T>> = {},
  providers: Type<unknown>[] = [],
): Promise<Running<T>> {
  const { app, server } = await launch<T>(
    controllers,
    { host: '127.0.0.1', port: 0, ...options },
    providers,
  );
  const { address } = server;
  if (address === undefined || !('port' in address)) throw new Error('The server does not listen.');
  const { port } = address;
  const clients: PikeClient<T>[] = [];
  return {
    app,
    server,
    port,
    client(clientOptions = {}) {
      const client = new PikeClient<T>({ port, ...clientOptions });
      clients.push(client);
      return client;
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      await app.close();
    },
  };
}

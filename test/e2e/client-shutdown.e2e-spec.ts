// Prevents: an application that is nothing but a client does not end, ends before what it has said
// is sent, or leaves callers without an answer when it is told to stop.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Project } from '../support/project.js';
import { useSockets } from '../support/use-sockets.js';
import { RawServer } from './raw-server.js';

/** An application context with one client, a request in flight, and what the test adds. */
const APPLICATION = `
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientsModule } from '@nestjs/microservices';
import { PikeClient } from 'nestjs-pike';

const [port, how] = process.argv.slice(2);

@Module({
  imports: [
    ClientsModule.register([
      {
        name: 'SERVER',
        customClass: PikeClient,
        options: { port: Number(port), reconnect: { minDelay: 1, maxDelay: 10 }, lingerTimeout: 10 },
      },
    ]),
  ],
})
class ClientModule {}

const app = await NestFactory.createApplicationContext(ClientModule, { logger: false });
app.enableShutdownHooks();
const client = app.get<PikeClient>('SERVER');
await client.connect();

const report = (name: string) => ({
  next: (value: unknown) => console.log(name, value),
  error: ({ code, delivery }: { code: string; delivery: string }) => console.log(name, code, delivery),
});
client.status.subscribe((status) => {
  if (status !== 'reconnecting') return;
  client.send('r', 'waiting').subscribe(report('waiting'));
  console.log('reconnecting');
});
client.send('r', 'in flight').subscribe(report('in flight'));
if (how === 'close') {
  for (let i = 0; i < 50; i++) client.emit('e', \`\${i} \`.padEnd(50_000, 'x'));
  client.emit('e', 'last');
  await app.close();
  console.log('closed');
}
`;

describe('an application that is a client', () => {
  const sockets = useSockets();
  let project: Project;

  beforeAll(async () => {
    project = await Project.create();
    await project.add('app.ts', APPLICATION);
  });
  afterAll(() => project.remove());

  const start = async (how: 'close' | 'signal') => {
    const server = await RawServer.start(sockets);
    const { port } = server.at as { port: number };
    const app = project.start({ file: 'app.js', args: [`${port}`, how] });
    return { server, app, peer: await server.accept() };
  };

  it('sends what it has said when it is closed, answers its callers, and ends by itself', async () => {
    const { app, peer } = await start('close');
    await peer.reply(({ data }) => data === 'last');
    expect(peer.replies).toHaveLength(52);
    await expect(app.ended).resolves.toEqual({
      code: 0,
      signal: null,
      stdout: 'in flight PIKE_ERR_CLIENT_CLOSED in-doubt\nclosed\n',
      stderr: '',
    });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'answers its callers on %s, and ends by it',
    async (signal) => {
      const { app, peer } = await start('signal');
      await peer.reply(({ data }) => data === 'in flight');
      app.kill(signal);
      await expect(app.ended).resolves.toEqual({
        code: null,
        signal,
        stdout: 'in flight PIKE_ERR_CLIENT_CLOSED in-doubt\n',
        stderr: '',
      });
    },
  );

  it('answers its callers on a signal while its server is away, and ends', async () => {
    const { app, peer, server } = await start('signal');
    await peer.reply(({ data }) => data === 'in flight');
    await server.stop();
    await app.prints('reconnecting');
    app.kill('SIGTERM');
    const { signal, stdout, stderr } = await app.ended;
    expect({ signal, stderr }).toEqual({ signal: 'SIGTERM', stderr: '' });
    expect(stdout).toMatch(/^in flight PIKE_ERR_\w+ in-doubt$/m);
    expect(stdout).toMatch(/^waiting PIKE_ERR_CLIENT_CLOSED unsent$/m);
  });

  it('goes on while its server is away, since it has not been told to stop', async () => {
    const { app, peer, server } = await start('signal');
    await peer.reply(({ data }) => data === 'in flight');
    await server.stop();
    await app.prints('reconnecting');
    await server.restart();
    const next = await server.accept();
    const { id } = await next.reply(({ data }) => data === 'waiting');
    next.send({ id, response: 'here', isDisposed: true });
    await app.prints('waiting here');
    app.kill('SIGTERM');
    await expect(app.ended).resolves.toMatchObject({ signal: 'SIGTERM', stderr: '' });
  });
});

/*
 * Prevents: a process that never exits after shutdown, faults of the application that vanish
 * without a trace, and a library that ends the process where it should not.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Outcome } from '../support/project.js';
import { Project } from '../support/project.js';

let project: Project;
beforeAll(async () => {
  project = await Project.create();
});
afterAll(() => project.remove());

/** Runs an ES module to its end. */
function run(code: string): Promise<Outcome> {
  return project.run({ code });
}

/** Two connected connectors, `server` and `client`, that speak lines. */
const PRELUDE = prelude('nestjs-pike/core', 'NetConnector');
const IN_MEMORY = prelude('nestjs-pike/testing', 'MemoryConnector');

function prelude(entry: string, connector: string): string {
  return `
  import { FramedConverter, NetConnector } from 'nestjs-pike/core';
  import { ${connector} as Connector } from '${entry}';
  class Lines extends FramedConverter {
    encode(message, writer) { writer.writeString(message + '\\n'); }
    decode(reader) {
      const length = reader.indexOf(10);
      if (length === -1) return undefined;
      const line = reader.readString(length);
      reader.skip(1);
      return line;
    }
  }
  const server = new Connector({ converter: new Lines(), port: 0, host: '127.0.0.1' });
  const client = new Connector({ converter: new Lines() });
  await server.run();
  await client.run();
  const { connection } = await client.connectWaiting(server.address);
`;
}

describe('a process', () => {
  it.each([
    ['now', '', PRELUDE],
    ['finishMessages', '', PRELUDE],
    ['finishQueues', '', PRELUDE],
    ['now', ', in memory', IN_MEMORY],
    ['finishMessages', ', in memory', IN_MEMORY],
    ['finishQueues', ', in memory', IN_MEMORY],
  ])(
    'exits by itself when its connectors have been shut down with %s%s',
    async (way, _, connected) => {
      const { code, stdout, stderr } = await run(`${connected}
        server.subscribe((event) => { if (event.type === 'remoteConnect') event.finishAccept(); });
        client.send(connection, 'hello');
        await Promise.all([
          client.shutdown({ ${way}: true, deadline: 60_000 }),
          server.shutdown({ ${way}: true, deadline: 60_000 }),
        ]);
        // The pipe is the standard output.
        const left = process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap');
        console.log('left:', left.join());
      `);

      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'left: \n', stderr: '' });
    },
  );

  it('exits by itself though connectors in memory are connected: nobody else can send to them', async () => {
    const { code, stdout, stderr } = await run(`${IN_MEMORY}
      server.subscribe((event) => {
        if (event.type === 'remoteConnect') event.finishAccept();
        if (event.type === 'messageReceived') server.send(event.connection, event.message);
      });
      client.subscribe((event) => { if (event.message) console.log(event.message); });
      for (let i = 0; i < 10_000; i++) client.send(connection, 'x'.repeat(i % 100));
      client.send(connection, 'last');
    `);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/last\n$/);
  });

  it('exits when run has failed', async () => {
    const { code, stdout } = await run(`${PRELUDE}
      const second = new NetConnector({ converter: new Lines(), ...server.address });
      await second.run().catch((error) => console.log(error.code));
      await Promise.all([client, server].map((one) => one.shutdown({ now: true })));
    `);

    expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: 'PIKE_ERR_LISTEN_FAILED' });
  });

  it('learns of a listener that throws, as an uncaught exception in a turn of its own', async () => {
    const { code, stdout, stderr } = await run(`${PRELUDE}
      process.on('uncaughtException', (error, origin) => {
        console.log(origin, error.message, new Error().stack.includes('event-queue'));
        if (error.message === 'on two') {
          void Promise.all([client, server].map((one) => one.shutdown({ now: true })));
        }
      });
      server.subscribe(async (event) => {
        if (event.type === 'messageReceived') throw new Error('on ' + event.message);
        if (event.type === 'remoteConnect') event.finishAccept();
      });
      client.send(connection, 'one');
      client.send(connection, 'two');
    `);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim().split('\n')).toEqual([
      'uncaughtException on one false',
      'uncaughtException on two false',
    ]);
  });

  it('ends when nobody handles that exception', async () => {
    const { code, stderr } = await run(`${PRELUDE}
      server.subscribe((event) => { throw new Error('unhandled in ' + event.type); });
    `);

    expect(code).toBe(1);
    expect(stderr).toContain('unhandled in remoteConnect');
  });

  it('learns of an onError that throws, with the cause', async () => {
    const { code, stdout } = await run(`${PRELUDE}
      process.on('uncaughtException', (error) => {
        console.log(error.code, error.cause.message);
        void Promise.all([client, server, third].map((one) => one.shutdown({ now: true })));
      });
      const third = new NetConnector({
        converter: new Lines(),
        onError() { throw new Error('onError fault'); },
      });
      await third.run();
      third.subscribe(() => { throw new Error('listener fault'); });
      third.connect(server.address);
    `);

    expect({ code, stdout: stdout.split('\n')[0] }).toEqual({
      code: 0,
      stdout: 'PIKE_ERR_LISTENER onError fault',
    });
  });

  it('survives running out of file descriptors, and accepts again afterwards', async () => {
    await project.add(
      'few-files.ts',
      `${PRELUDE}
      server.subscribe((event) => {
        if (event.type === 'remoteConnect') event.finishAccept();
        if (event.type === 'messageReceived') server.send(event.connection, event.message);
      });
      const attempts = await Promise.all(
        Array.from({ length: 100 }, () => client.connectWaiting(server.address, { timeout: 2000 })),
      );
      for (const { connection } of attempts) client.disconnect(connection, { now: true });
      const failed = attempts.filter(({ success }) => !success).length;
      let again;
      do again = await client.connectWaiting(server.address); while (!again.success);
      client.send(again.connection, 'still there');
      for await (const event of client) {
        if (event.type === 'messageReceived') { console.log(failed > 0, event.message); break; }
      }
      await Promise.all([client, server].map((one) => one.shutdown({ now: true })));
    `,
    );
    const { code, stdout, stderr } = await project.run({ file: 'few-files.js', ulimit: '-n 64' });

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim()).toBe('true still there');
  });
});

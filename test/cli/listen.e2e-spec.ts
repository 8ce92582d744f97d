// Prevents: a developer who listens for what a device sends is shown something else than it has sent, or
// nothing, or is cut off by the first device that sends garbage.
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { PikeClient } from 'nestjs-pike';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { servePython } from '../interop/python.js';
import { muteLogger } from '../support/mute-logger.js';
import { RawPeer } from '../support/raw-peer.js';
import type { TypedProgram } from '../support/typed-program.js';
import { pem } from '../support/transports/tls.js';
import { CommandLine, describeWithPython, done, failed } from './command-line.js';

const PATIENCE = 60_000;
const FIXTURES = `${process.cwd()}/test/fixtures/tls`;

let pike: CommandLine;
let listening: TypedProgram;
const clients: PikeClient[] = [];

beforeAll(async () => {
  pike = await CommandLine.create();
});
afterAll(() => pike.remove());
beforeEach(() => muteLogger());
afterEach(async () => {
  await Promise.all(clients.splice(0).map((each) => each.close()));
  jest.restoreAllMocks();
});

/** Starts to listen; returns the port. */
async function listen(...args: string[]): Promise<number> {
  listening = pike.start(['listen', '127.0.0.1:0', ...args]);
  const [, port] = await listening.program.matches(/127\.0\.0\.1:(\d+)/);
  return Number(port);
}

/** Ends it as Ctrl-C does; returns what it has printed, without the ports of peers. */
async function stop(): Promise<string> {
  listening.program.kill('SIGINT');
  const { code, stdout, stderr } = await listening.program.ended;
  expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
  return stdout.replace(/127\.0\.0\.1:\d+/g, 'HOST:PORT');
}

function client(options: ConstructorParameters<typeof PikeClient>[0]): PikeClient {
  const made = new PikeClient(options);
  clients.push(made);
  return made;
}

describe('pike listen', () => {
  it(
    'prints what happens, and answers requests with the reply that it was given',
    async () => {
      const port = await listen('--reply', '{"ok":true}');
      const caller = client({ port });
      expect(await firstValueFrom(caller.send('sum', [1, 2]))).toEqual({ ok: true });
      await lastValueFrom(caller.emit('noted', 'tea'), { defaultValue: undefined });
      await listening.program.prints('noted');
      await caller.close();
      await listening.program.prints('disconnected');
      expect(await stop()).toBe(
        'listening on HOST:PORT\n' +
          '#1 connected from HOST:PORT\n' +
          '#1 received {"pattern":"sum","data":[1,2],"id":1}\n' +
          '#1 replied {"id":1,"response":{"ok":true},"isDisposed":true}\n' +
          '#1 received {"pattern":"noted","data":"tea"}\n' +
          '#1 disconnected\n',
      );
    },
    PATIENCE,
  );

  it(
    'prints an object a line for programs',
    async () => {
      const port = await listen('--json', '--converter', 'lines', '--reply', 'OK');
      const peer = await RawPeer.connect({ host: '127.0.0.1', port });
      peer.write('temperature 21.5\n');
      await peer.sees('OK\n');
      peer.write('half');
      peer.end();
      await listening.program.prints('Disconnect');
      const events = (await stop())
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
      expect(events).toEqual([
        { event: 'listening', address: 'HOST:PORT' },
        { event: 'remoteConnect', connection: 1, remote: 'HOST:PORT' },
        { event: 'messageReceived', connection: 1, message: 'temperature 21.5' },
        { event: 'replied', connection: 1, message: 'OK' },
        {
          event: 'remoteDisconnect',
          connection: 1,
          error: { code: 'PIKE_ERR_TRUNCATED', message: expect.any(String) },
        },
      ]);
      await peer.destroy();
    },
    PATIENCE,
  );

  it(
    'goes on after a peer that sends garbage, and shows none of it as a command of the terminal',
    async () => {
      const port = await listen('--converter', 'lines');
      const wicked = await RawPeer.connect({ host: '127.0.0.1', port });
      wicked.write('\u001b[2J\u009b2J\u202e\n');
      await listening.program.prints('received');
      wicked.write(Buffer.from([0xff, 0x0a]));
      await wicked.ended;
      const good = await RawPeer.connect({ host: '127.0.0.1', port });
      good.write('hello\n');
      await listening.program.prints('#2 received "hello"\n');
      const shown = await stop();
      expect(shown).toContain('#1 received "\\u001b[2J\\u009b2J\\u202e"\n');
      expect(shown).toMatch(/#1 ended by us PIKE_ERR_MALFORMED: .*\n/);
      await Promise.all([wicked.destroy(), good.destroy()]);
    },
    PATIENCE,
  );

  it(
    'answers the pings of the default protocol, so that clients stay',
    async () => {
      const port = await listen('--reply', '1');
      const caller = client({ port, heartbeatInterval: 50 });
      await caller.connect();
      await listening.program.matches(/(?:"ping".*[^]*){3}/);
      expect(await firstValueFrom(caller.send('a', 1))).toBe(1);
      await stop();
    },
    PATIENCE,
  );

  it(
    'listens with TLS, and says what it needs for that',
    async () => {
      expect(await pike.run(['listen', 'tls://127.0.0.1:0'])).toEqual(
        failed(1, 'USAGE: Listening with TLS needs a certificate: give --cert and --key.\n'),
      );
      const files = ['--cert', `${FIXTURES}/server.pem`, '--key', `${FIXTURES}/server.key`];
      const port = await listen('--tls', ...files, '--reply', '"safe"');
      const caller = client({ port, tls: { ca: pem('ca.pem') } });
      expect(await firstValueFrom(caller.send('a', 1))).toBe('safe');
      await stop();
    },
    PATIENCE,
  );

  it(
    'ends with 2 where somebody else listens',
    async () => {
      const port = await listen();
      expect(await pike.run(['listen', `127.0.0.1:${port}`])).toEqual(
        failed(2, expect.stringMatching(/^PIKE_ERR_LISTEN_FAILED: .*EADDRINUSE.*another address/)),
      );
      await stop();
    },
    PATIENCE,
  );

  it(
    'has no colours in a pipe',
    async () => {
      await listen();
      // eslint-disable-next-line no-control-regex
      expect(await stop()).not.toMatch(/\u001b/);
    },
    PATIENCE,
  );
});

describeWithPython('a peer in the original wire format, in Python', () => {
  it(
    'is called',
    async () => {
      const { endpoint, program } = await servePython({ kind: 'int', reply: 'double' });
      const to = `${endpoint.host}:${endpoint.port}`;
      expect(await pike.run(['call', '21', '--to', to, '--converter', 'int'])).toEqual(
        done('42\n'),
      );
      await program.ended;
    },
    PATIENCE,
  );
});

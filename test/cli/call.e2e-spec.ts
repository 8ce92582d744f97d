// Prevents: a script that takes a failed call for one that worked, or cannot tell why it failed; a server
// that goes on with what nobody waits for any more, because Ctrl-C was not told to it.
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { nestTcp, rawMessages } from 'nestjs-pike';
import type { PikeServerOptions } from 'nestjs-pike';
import {
  JsonConverter,
  LengthPrefixedConverter,
  LineConverter,
  Primitives,
} from 'nestjs-pike/converters';
import { showEndpoint } from 'nestjs-pike/core';
import { launch } from '../e2e/support.js';
import type { Launched } from '../e2e/support.js';
import { freePort } from '../support/free-port.js';
import { RawListener } from '../support/raw-peer.js';
import { pem } from '../support/transports/tls.js';
import { CommandLine, done, failed } from './command-line.js';
import { AnyController, noticed } from './servers.js';

/** Starting programs takes its time on a busy machine. */
const PATIENCE = 60_000;
const FIXTURES = `${process.cwd()}/test/fixtures/tls`;

let pike: CommandLine;
let launched: Launched<never> | undefined;

beforeAll(async () => {
  pike = await CommandLine.create();
});
afterAll(() => pike.remove());
afterEach(async () => {
  await launched?.app.close();
  launched = undefined;
});

/** Starts a server; returns its address, as it is typed. */
async function serve<T = unknown>(options: Partial<PikeServerOptions<T>> = {}): Promise<string> {
  const where = 'path' in options ? {} : { host: '127.0.0.1', port: 0 };
  const running = await launch<T>([AnyController], { ...where, ...options });
  launched = running as unknown as Launched<never>;
  const { address } = running.server;
  if (address === undefined) throw new Error('The server does not listen.');
  return 'path' in address ? `unix:${address.path}` : `127.0.0.1:${address.port}`;
}

describe('pike call', () => {
  it(
    'prints the reply, and each value of a stream on a line of its own',
    async () => {
      const to = await serve();
      expect(await pike.run(['call', 'sum', '[1, 2, 3]', '--to', to])).toEqual(done('6\n'));
      expect(await pike.run(['call', 'countdown', '3', '--to', to])).toEqual(done('3\n2\n1\n'));
      expect(await pike.run(['call', '{"cmd":"greet"}', '"Ann"', '--to', to])).toEqual(
        done('{"greeting":"Hello, Ann!"}\n'),
      );
    },
    PATIENCE,
  );

  it(
    'takes the data from an argument, a file or standard input; without any, it is {}',
    async () => {
      const to = await serve();
      await writeFile(join(pike.project.folder, 'data.json'), '{"from": "a file"}\n');
      expect(await pike.run(['call', 'echo', '--to', to, '--data-file', 'data.json'])).toEqual(
        done('{"from":"a file"}\n'),
      );
      expect(await pike.run(['call', 'echo', '-', '--to', to], { input: '["piped"]\n' })).toEqual(
        done('["piped"]\n'),
      );
      expect(await pike.run(['call', 'echo', '--to', to])).toEqual(done('{}\n'));
    },
    PATIENCE,
  );

  it(
    'ends with 3 when the server answers with an error, which it shows',
    async () => {
      const to = await serve();
      expect(await pike.run(['call', 'refuse', '--to', to])).toEqual(
        failed(3, 'REMOTE_ERROR: {"status":"error","message":"not today"}\n'),
      );
      expect(await pike.run(['call', 'no-such-pattern', '--to', to])).toEqual(
        failed(
          3,
          expect.stringMatching(/^REMOTE_ERROR: "There is no matching message handler.*\n$/),
        ),
      );
    },
    PATIENCE,
  );

  it(
    'ends with 4 when no reply comes in time',
    async () => {
      const to = await serve();
      expect(await pike.run(['call', 'never', '--to', to, '--timeout', '200'])).toEqual(
        failed(
          4,
          expect.stringMatching(/^PIKE_ERR_REQUEST_TIMEOUT: No reply came within 200 ms.*\n$/),
        ),
      );
    },
    PATIENCE,
  );

  it(
    'ends with 2 when it cannot connect, and says what to look at',
    async () => {
      const outcome = await pike.run([
        'call',
        'sum',
        '[1]',
        '--to',
        `127.0.0.1:${await freePort()}`,
      ]);
      expect(outcome).toEqual(
        failed(
          2,
          expect.stringMatching(
            /^PIKE_ERR_CONNECT_FAILED: .*ECONNREFUSED.*\. Check that the server runs there.*\n$/,
          ),
        ),
      );
    },
    PATIENCE,
  );

  it(
    'ends with 5 when the connection is lost before the reply',
    async () => {
      const to = await serve();
      const calling = pike.start(['call', 'ticks', '--to', to]);
      await calling.program.prints('1\n');
      for (const connection of launched?.server.unwrap().connections ?? []) {
        launched?.server.unwrap().disconnect(connection, { now: true });
      }
      expect(await calling.program.ended).toEqual(
        failed(5, expect.stringMatching(/^PIKE_ERR_\w+: .*\n$/), expect.stringMatching(/^0\n1\n/)),
      );
    },
    PATIENCE,
  );

  it.each([
    [[], /^USAGE: required option '-t, --to <address>' not specified\. See pike call --help\.\n$/],
    [['--to', '127.0.0.1:1'], /^USAGE: The pattern is missing/],
    [['sum', '[1', '--to', '127.0.0.1:1'], /^USAGE: The data must be JSON.*; got: \[1\n$/],
    [['sum', 'null', '--to', '127.0.0.1:1'], /^USAGE: Nest has no requests .* null/],
    [['sum', '1', '2', '--to', '127.0.0.1:1'], /^USAGE: Give a pattern and the data once/],
    [['sum', '1', '--to', 'here'], /^USAGE: "here" is no address/],
    [['sum', '1', '--to', '127.0.0.1:99999'], /^USAGE: "127.0.0.1:99999" is no address/],
    [['sum', '--to', '127.0.0.1:1', '--data-file', 'absent'], /^USAGE: --data-file cannot be read/],
    [['sum', '1', '--to', '127.0.0.1:1', '--timeout', 'soon'], /^USAGE: .*whole number from 0/],
    [
      ['sum', '1', '--to', '127.0.0.1:1', '-c', 'xml'],
      /^USAGE: There is no converter "xml"\. Ready/,
    ],
    [['sum', '1', '--to', '127.0.0.1:1', '-c', './absent.js'], /^USAGE: --converter .* loaded/],
    [['sum', '1', '--to', '127.0.0.1:1', '--ca', 'ca.pem'], /^USAGE: --ca is for TLS: add --tls/],
    [['sum', '1', '--to', 'tls://localhost:1', '--key', 'k'], /^USAGE: --cert and --key belong/],
    [['sum', '1', '--to', '127.0.0.1:1', '--raw', '--packets'], /^USAGE: .*cannot be used with/],
    [
      ['--to', '127.0.0.1:1', '--no-such'],
      /^USAGE: unknown option '--no-such'\. See pike call --help\.\n$/,
    ],
  ])(
    'ends with 1 when it is called as: %p',
    async (args, message) => {
      const outcome = await pike.run(['call', ...args]);
      expect(outcome).toEqual(failed(1, expect.stringMatching(message)));
      expect(outcome.stderr).not.toContain('    at ');
    },
    PATIENCE,
  );

  it(
    'shows where an error comes from only when it is asked to',
    async () => {
      const outcome = await pike.run(['call', 'x', '[', '--to', '127.0.0.1:1', '--verbose']);
      expect(outcome.stderr).toMatch(
        /^USAGE: The data must be JSON[^]*\n {4}at [^]*caused by SyntaxError/,
      );
    },
    PATIENCE,
  );

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'cancels the call on %s, so that the handler is torn down, and ends as that signal is said to',
    async (signal) => {
      const to = await serve();
      const tornDown = once(noticed, 'torn down');
      const calling = pike.start(['call', 'ticks', '--to', to]);
      await calling.program.prints('1\n');
      calling.program.kill(signal);
      const code = { SIGINT: 130, SIGTERM: 143 }[signal];
      expect(await calling.program.ended).toMatchObject({ code, stderr: '' });
      await tornDown;
    },
    PATIENCE,
  );

  it(
    'gives up connecting on Ctrl-C',
    async () => {
      // It accepts, and never answers the handshake.
      const listener = await RawListener.listen();
      const calling = pike.start([
        'call',
        'sum',
        '[1]',
        '--to',
        `tls://${showEndpoint(listener.address)}`,
      ]);
      await listener.accept();
      calling.program.kill('SIGINT');
      expect(await calling.program.ended).toEqual(failed(130, ''));
      await listener.close();
    },
    PATIENCE,
  );

  it(
    'ends quietly when nobody reads its output any more, and cancels the call',
    async () => {
      const to = await serve();
      const tornDown = once(noticed, 'torn down');
      const command = pike.shell(`set -o pipefail; pike call ticks --to ${to} | head -1`);
      expect(await command.program.ended).toEqual(failed(141, '', '0\n'));
      await tornDown;
    },
    PATIENCE,
  );
});

describe('pike emit', () => {
  it(
    'sends an event, and prints nothing',
    async () => {
      const to = await serve();
      const noted = once(noticed, 'noted');
      expect(await pike.run(['emit', 'noted', '{"a":1}', '--to', to])).toEqual(done(''));
      expect(await noted).toEqual([{ a: 1 }]);
    },
    PATIENCE,
  );
});

describe('the address', () => {
  it(
    'may be one of TLS, with the authority and the name to trust',
    async () => {
      const to = await serve({ tls: { key: pem('server.key'), cert: pem('server.pem') } });
      const call = ['call', 'sum', '[1,2]', '--to'];
      const ca = ['--ca', `${FIXTURES}/ca.pem`];
      expect(await pike.run([...call, `tls://${to}`, ...ca])).toEqual(done('3\n'));
      expect(await pike.run([...call, to, '--tls', ...ca, '--servername', 'localhost'])).toEqual(
        done('3\n'),
      );
      expect(await pike.run([...call, to, '--tls', ...ca, '--servername', 'elsewhere'])).toEqual(
        failed(2, expect.stringMatching(/^PIKE_ERR_CONNECT_FAILED: .*elsewhere/)),
      );
      expect(await pike.run([...call, to, '--tls'])).toMatchObject({ code: 2, stdout: '' });
    },
    PATIENCE,
  );

  it(
    'may be one of a server that demands a certificate',
    async () => {
      const tls = { key: pem('server.key'), cert: pem('server.pem'), ca: pem('ca.pem') };
      const to = await serve({ tls: { ...tls, requestCert: true } });
      const call = ['call', 'sum', '[1,2]', '--to', `tls://${to}`, '--ca', `${FIXTURES}/ca.pem`];
      const own = ['--cert', `${FIXTURES}/client.pem`, '--key', `${FIXTURES}/client.key`];
      expect(await pike.run([...call, ...own])).toEqual(done('3\n'));
      expect((await pike.run(call)).code).not.toBe(0);
    },
    PATIENCE,
  );

  it(
    'may be the path of a unix-domain socket',
    async () => {
      const to = await serve({ path: join(pike.project.folder, 'app.sock') });
      expect(await pike.run(['call', 'sum', '[1,2]', '--to', to])).toEqual(done('3\n'));
    },
    PATIENCE,
  );
});

describe('the converter', () => {
  const ECHO = { reply: true };

  it.each([
    ['json', { converter: new JsonConverter() }],
    ['nest-tcp', nestTcp()],
  ])(
    'may be %s, whose messages are packets',
    async (name, options) => {
      const to = await serve(options as Partial<PikeServerOptions<unknown>>);
      const tail = ['--to', to, '--converter', name];
      expect(await pike.run(['call', 'countdown', '2', ...tail])).toEqual(done('2\n1\n'));
      expect(await pike.run(['call', 'refuse', ...tail])).toMatchObject({ code: 3 });
    },
    PATIENCE,
  );

  it.each([
    ['string', Primitives.STRING_CONVERTER, 'Größe', '"Größe"'],
    ['int', Primitives.INT_CONVERTER, '-12345678901234567890', '-12345678901234567890'],
    ['float', Primitives.FLOAT_CONVERTER, '-inf', '"-Infinity"'],
    ['bool', Primitives.BOOL_CONVERTER, 'true', 'true'],
    ['lines', new LineConverter(), 'temperature 21.5', '"temperature 21.5"'],
    [
      'length-prefixed:2le',
      new LengthPrefixedConverter({ bytes: 2, order: 'LE' }),
      '0a FF',
      '"0aff"',
    ],
    ['length-prefixed:varint', new LengthPrefixedConverter({ bytes: 'varint' }), '00', '"00"'],
    ['./mine.js', new LineConverter(), '"[9]"', '"[9]"'],
  ])(
    'may be %s, whose messages have no pattern',
    async (name, converter, data, reply) => {
      await pike.project.add(
        'mine.ts',
        `import { LineConverter } from 'nestjs-pike/converters';
        export default class MyConverter extends LineConverter {}`,
      );
      const to = await serve<never>({
        converter: converter as never,
        ...rawMessages<never>('echo', ECHO),
      });
      // A number below zero is no option.
      const args = ['call', '--to', to, '--converter', name, '--', data];
      expect(await pike.run(args)).toEqual(done(`${reply}\n`));
    },
    PATIENCE,
  );

  it(
    'takes bytes and texts from a file as they are',
    async () => {
      const to = await serve<Buffer>({
        converter: new LengthPrefixedConverter(),
        ...rawMessages<Buffer>('echo', ECHO),
      });
      const input = Buffer.from([0, 1, 0x0a]);
      expect(await pike.run(['call', '-', '--to', to, '-c', 'length-prefixed'], { input })).toEqual(
        done('"00010a"\n'),
      );
    },
    PATIENCE,
  );

  it(
    'may come with a serializer, a deserializer and replies in order, made by a function',
    async () => {
      await pike.project.add(
        'protocol.ts',
        `import { LineConverter } from 'nestjs-pike/converters';
        export default () => new LineConverter();
        export const correlation = 'order';
        export const serializer = { serialize: ({ pattern, data }) => pattern + ' ' + data };
        export const deserializer = {
          deserialize: (line) =>
            line.startsWith('ERR') ? { err: line, isDisposed: true } : { response: line, isDisposed: true },
        };`,
      );
      const listener = await RawListener.listen();
      const tail = ['--to', showEndpoint(listener.address), '-c', './protocol.js'];
      const calling = pike.run(['call', 'GET', '"key"', ...tail]);
      const peer = await listener.accept();
      await peer.sees('GET key\n');
      peer.write('value\n');
      expect(await calling).toEqual(done('"value"\n'));
      const refused = pike.run(['call', 'SET', '"key"', ...tail]);
      const second = await listener.accept();
      await second.sees('SET key\n');
      second.write('ERR read-only\n');
      expect(await refused).toEqual(failed(3, 'REMOTE_ERROR: "ERR read-only"\n'));
      await listener.close();
    },
    PATIENCE,
  );

  it(
    'says what it does not take',
    async () => {
      const to = await serve<never>({
        converter: Primitives.INT_CONVERTER as never,
        ...rawMessages<never>('echo', ECHO),
      });
      expect(await pike.run(['call', 'many', '--to', to, '-c', 'int'])).toEqual(
        failed(1, 'USAGE: The data must be a whole number; got: many\n'),
      );
      expect(await pike.run(['call', 'a', 'b', '--to', to, '-c', 'lines'])).toEqual(
        failed(1, expect.stringMatching(/^USAGE: This converter has messages without a pattern/)),
      );
      expect(await pike.run(['call', 'a\nb', '--to', to, '-c', 'lines'])).toEqual(
        failed(1, expect.stringMatching(/^PIKE_ERR_SERIALIZER: /)),
      );
    },
    PATIENCE,
  );
});

describe('pike itself', () => {
  it(
    'tells its version, and what it can do',
    async () => {
      const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
      expect(await pike.run(['--version'])).toEqual(done(`${version}\n`));
      const commands = ['call', 'emit', 'listen', 'connect', 'send-file', 'bench'];
      const { code, stdout } = await pike.run(['--help']);
      expect({ code, commands: commands.filter((name) => stdout.includes(`  ${name} `)) }).toEqual({
        code: 0,
        commands,
      });
      for (const command of commands) {
        expect(await pike.run([command, '--help'])).toMatchObject({
          code: 0,
          stdout: expect.stringContaining(`Examples:\n  pike ${command} `),
          stderr: '',
        });
      }
    },
    PATIENCE,
  );

  it.each([
    [[], /USAGE: A command is missing\. See pike --help\.\n$/],
    [['cal'], /^USAGE: unknown command 'cal'[^]*call[^]*See pike --help\.\n$/],
  ])(
    'ends with 1 when it is called as: %p',
    async (args, message) => {
      expect(await pike.run(args)).toEqual(failed(1, expect.stringMatching(message)));
    },
    PATIENCE,
  );
});

// Prevents: a gateway that believes whoever says that it is a device, takes garbled readings, sends a command to
// another device, or tells people that something was done that was not. The devices are written in Python.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { pythonVersion, withoutPython } from '../interop/python.js';
import { Program } from '../support/project.js';
import type { Outcome } from '../support/project.js';
import { RawPeer } from '../support/raw-peer.js';
import { PATIENCE, useSample } from './use-sample.js';

const KEYS = {
  'boiler-1': 'acme first key',
  'boiler-2': 'acme second key',
  'pump-1': 'globex key',
};

/** That sensor 1 has measured 2150, as the simulator writes it. */
const READING = '00081001000008663b0c';

/** A simulated device in a process of its own. */
class Device {
  readonly program: Program;
  readonly #child: ChildProcess;

  constructor(port: number, name: string, key: string) {
    const args = ['-B', 'test/samples/device_simulator.py', `${port}`, name, key];
    this.#child = spawn('python3', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    // A device that has ended is told things in vain.
    this.#child.stdin?.on('error', () => undefined);
    this.program = new Program(this.#child);
  }

  /** Tells it what to do, and waits until it has. */
  async told(line: string): Promise<void> {
    this.#child.stdin?.write(`${line}\n`);
    await this.program.prints(`done ${line.split(' ')[0]}`);
  }

  /** Tells it to end. */
  quit(): Promise<Outcome> {
    this.#child.stdin?.write('quit\n');
    return this.program.ended;
  }

  /** Ends it at once, if it runs. */
  async kill(): Promise<void> {
    this.program.kill('SIGKILL');
    await this.program.ended;
  }
}

function gateway(): void {
  let program: Program;
  let port: number;
  let httpPort: number;
  const defer = useSample('06-devices', 2, (sample) => {
    ({ program } = sample);
    [port, httpPort] = sample.ports as [number, number];
  });

  const device = (name: string, key?: string): Device => {
    const started = new Device(port, name, key ?? KEYS[name as keyof typeof KEYS]);
    defer(() => started.kill());
    return started;
  };
  const loggedIn = async (name: string): Promise<Device> => {
    const started = device(name);
    await started.program.prints('welcome');
    return started;
  };
  const http = async (method: string, path: string, body?: unknown): Promise<[number, unknown]> => {
    const response = await fetch(`http://127.0.0.1:${httpPort}/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return [response.status, await response.json()];
  };
  /** Asks until the answer is as wanted: readings are not answered, and connections end when they do. */
  const shows = async (path: string, wanted: unknown): Promise<void> => {
    for (;;) {
      const [, answer] = await http('GET', path);
      if (JSON.stringify(answer) === JSON.stringify(wanted)) return;
    }
  };
  const boiler = (connected: boolean, readings: Record<number, number>) => ({
    id: 'boiler-1',
    tenant: 'acme',
    connected,
    readings,
  });

  it(
    'lets in who knows its key, notes its readings, and sees it leave',
    async () => {
      const first = await loggedIn('boiler-1');
      await first.told('reading 1 2150');
      await first.told('reading 2 -40');
      await first.told('reading 1 2160');
      await shows('devices/boiler-1', boiler(true, { 1: 2160, 2: -40 }));
      expect(await http('GET', 'devices')).toEqual([200, [{ id: 'boiler-1', tenant: 'acme' }]]);
      await first.kill();
      await shows('devices/boiler-1', boiler(false, { 1: 2160, 2: -40 }));
      expect(await http('GET', 'devices')).toEqual([200, []]);
    },
    PATIENCE,
  );

  it.each([
    ['with the key of another', 'boiler-1', KEYS['boiler-2']],
    ['that nobody knows', 'boiler-9', ''],
    ['whose name is one of JavaScript', '__proto__', ''],
  ])(
    'refuses a device %s',
    async (_, name, key) => {
      const { program: stranger } = device(name, key);
      expect(await stranger.ended).toMatchObject({ code: 1, stdout: 'refused\nclosed\n' });
      expect(await http('GET', 'devices')).toEqual([200, []]);
    },
    PATIENCE,
  );

  it('refuses a peer that sends a reading before it has logged in', async () => {
    const peer = await RawPeer.connect({ host: '127.0.0.1', port });
    defer(() => peer.destroy());
    peer.write(Buffer.from(READING, 'hex'));
    await peer.ended;
    // The challenge, and that it is refused.
    expect(peer.received.toString('hex')).toMatch(/^001301[\da-f]{36}000304[\da-f]{4}$/);
  });

  it(
    'sends a command to the one device that it is for, and gives back what it says',
    async () => {
      const [first, second] = [await loggedIn('boiler-1'), await loggedIn('boiler-2')];
      expect(await http('PUT', 'devices/boiler-2/relay', { on: true })).toEqual([
        200,
        { on: true },
      ]);
      await second.program.prints('command 1 1');
      expect(await http('PUT', 'devices/boiler-1/relay', { on: false })).toEqual([
        200,
        { on: false },
      ]);
      expect((await first.quit()).stdout).toBe('welcome\ncommand 1 0\n');
    },
    PATIENCE,
  );

  it(
    'says what has become of a command',
    async () => {
      expect(await http('PUT', 'devices/boiler-1/relay', { on: true })).toMatchObject([
        404,
        { message: 'boiler-1 is not connected.' },
      ]);
      const first = await loggedIn('boiler-1');
      expect(await http('PUT', 'devices/boiler-1/relay', { on: 'yes' })).toMatchObject([400, {}]);
      await first.told('refuse 3');
      expect(await http('PUT', 'devices/boiler-1/relay', { on: true })).toMatchObject([
        502,
        { message: 'The device has answered with status 3.' },
      ]);
      await first.told('ignore');
      expect(await http('PUT', 'devices/boiler-1/relay', { on: true })).toMatchObject([
        504,
        { message: 'The device has not answered. It may have done it.' },
      ]);
      const lost = http('PUT', 'devices/boiler-1/relay', { on: false });
      await first.program.prints('command 1 0');
      await first.kill();
      expect(await lost).toMatchObject([
        502,
        { message: 'The device was lost. It may have done it.' },
      ]);
    },
    PATIENCE,
  );

  it(
    'shows a text on the devices of one tenant, and on no other',
    async () => {
      const all = [
        await loggedIn('boiler-1'),
        await loggedIn('boiler-2'),
        await loggedIn('pump-1'),
      ] as const;
      const text = { text: 'Größe 5' };
      expect(await http('POST', 'tenants/acme/display', text)).toEqual([
        201,
        { sent: 2, failed: 0 },
      ]);
      expect(await http('POST', 'tenants/nobody/display', text)).toEqual([
        201,
        { sent: 0, failed: 0 },
      ]);
      expect(await http('POST', 'tenants/globex/display', { text: 'x'.repeat(201) })).toMatchObject(
        [400, {}],
      );
      await all[0].program.prints('display Größe 5');
      await all[1].program.prints('display Größe 5');
      await http('PUT', 'devices/pump-1/relay', { on: true });
      expect((await all[2].quit()).stdout).toBe('welcome\ncommand 1 1\n');
    },
    PATIENCE,
  );

  it(
    'takes no reading of a sensor that a device has not',
    async () => {
      const pump = await loggedIn('pump-1');
      await pump.told('reading 7 1');
      await pump.told('reading 1 2');
      await pump.told('reading 7 3');
      const readings = { 7: 3 };
      const shown = { id: 'pump-1', tenant: 'globex', connected: true, readings };
      await shows('devices/pump-1', shown);
      expect(await http('GET', 'devices/pump-1')).toEqual([200, shown]);
    },
    PATIENCE,
  );

  it.each([
    ['a reading that was garbled', 'garble 1 9999'],
    ['a second login', 'login'],
    ['a length beyond all bounds', 'raw ffff00'],
  ])(
    'ends the connection of a device by %s, and no other',
    async (_, line) => {
      const [first, second] = [await loggedIn('boiler-1'), await loggedIn('boiler-2')];
      await first.told(line);
      expect(await first.program.ended).toMatchObject({ code: 1, stderr: '' });
      await shows('devices', [{ id: 'boiler-2', tenant: 'acme' }]);
      const [, shown] = await http('GET', 'devices/boiler-1');
      expect(shown).not.toMatchObject({ readings: { 1: 9999 } });
      expect(await http('PUT', 'devices/boiler-2/relay', { on: true })).toEqual([
        200,
        { on: true },
      ]);
      await second.program.prints('command 1 1');
    },
    PATIENCE,
  );

  it(
    'goes on with a device where it has logged in last',
    async () => {
      const before = await loggedIn('boiler-1');
      const after = await loggedIn('boiler-1');
      expect(await before.program.ended).toMatchObject({ code: 1, stdout: 'welcome\nclosed\n' });
      expect(await http('PUT', 'devices/boiler-1/relay', { on: true })).toEqual([
        200,
        { on: true },
      ]);
      await after.program.prints('command 1 1');
    },
    PATIENCE,
  );

  it(
    'ends by a signal, and lets its devices go',
    async () => {
      const last = await loggedIn('pump-1');
      program.kill('SIGTERM');
      expect(await last.program.ended).toMatchObject({ code: 1, stdout: 'welcome\nclosed\n' });
      expect(await program.ended).toMatchObject({ signal: 'SIGTERM' });
    },
    PATIENCE,
  );
}

if (pythonVersion() === undefined) {
  // A test of its own, since a suite without one fails, and a skipped one would, too.
  it('is not run: there is no python3', () => {
    const notice = withoutPython({
      mustRun: process.env['CI'] === 'true',
      untested: 'test/samples: sample/06-devices NOT TESTED with devices',
    });
    process.stderr.write(`\n${notice}\n`);
    expect(notice).toContain('NOT TESTED');
  });
} else {
  describe('a gateway of devices', gateway);
}

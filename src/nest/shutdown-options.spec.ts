// Prevents: a signal ends the application in another way than its options say, or a misspelt one is ignored.
import { describe, expect, it } from '@jest/globals';
import { readShutdownOptions, readShutdownWay, shutdownWayOf } from './shutdown-options.js';
import type { PikeShutdownOptions } from './shutdown-options.js';

const wayOf = (shutdown: PikeShutdownOptions, signal?: string) =>
  shutdownWayOf(readShutdownOptions('X', shutdown), signal);

describe('the way to shut down', () => {
  it.each<[string, PikeShutdownOptions, string | undefined, object]>([
    ['by default', {}, undefined, { mode: 'finishQueues', deadline: 10_000 }],
    ['without a signal', { mode: 'now' }, undefined, { mode: 'now', deadline: 10_000 }],
    [
      'by a signal that is not named',
      { deadline: 5, signals: { SIGINT: 'now' } },
      'SIGTERM',
      { mode: 'finishQueues', deadline: 5 },
    ],
    [
      'by a signal with a mode',
      { deadline: 5, signals: { SIGINT: 'now' } },
      'SIGINT',
      { mode: 'now', deadline: 5 },
    ],
    [
      'by a signal with a deadline',
      { mode: 'finishMessages', deadline: 5, signals: { SIGTERM: { deadline: 6 } } },
      'SIGTERM',
      { mode: 'finishMessages', deadline: 6 },
    ],
  ])('%s', (_, shutdown, signal, way) => {
    expect(wayOf(shutdown, signal)).toEqual(way);
  });

  it.each([
    [{ mode: 'later' }, 'shutdown.mode'],
    [{ deadline: 2_147_483_648 }, 'shutdown.deadline'],
    [{ deadline: 0.5 }, 'shutdown.deadline'],
    [{ signal: {} }, 'signal'],
    [{ signals: null }, 'shutdown.signals'],
    [{ signals: { SIGTREM: 'now' } }, 'shutdown.signals.SIGTREM'],
    [{ signals: { SIGINT: 'later' } }, 'shutdown.signals.SIGINT.mode'],
    [{ signals: { SIGINT: { deadline: -1 } } }, 'shutdown.signals.SIGINT.deadline'],
    [{ signals: { SIGINT: { modus: 'now' } } }, 'modus'],
    [{ signals: { SIGINT: null } }, 'shutdown.signals.SIGINT'],
  ])('is not %j: the wrong option is named', (shutdown, name) => {
    expect(() => readShutdownOptions('X', shutdown as never)).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_INVALID_OPTION',
        message: expect.stringContaining(`"${name}"`),
      }),
    );
  });

  it('may be given for once, and then takes from the options what it leaves out', () => {
    const standard = { mode: 'finishQueues', deadline: 9 } as const;
    expect(readShutdownWay('X', 'how', { mode: 'now' }, standard)).toEqual({
      mode: 'now',
      deadline: 9,
    });
    expect(() => readShutdownWay('X', 'how', { now: true } as never, standard)).toThrow('"now"');
  });
});

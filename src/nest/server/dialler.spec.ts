// Prevents: a peer that is refused again and again hammers its server, one that was connected for
// days waits as long as one that never was, and one that was stopped comes back.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Connection } from '../../core/connection.js';
import { PikeError } from '../../core/errors.js';
import { Dialler } from './dialler.js';

const ENDPOINT = { host: 'gateway', port: 4000 };
const BACKOFF = { initialDelay: 100, maxDelay: 1000 };
const REFUSED = new PikeError('PIKE_ERR_CONNECT_FAILED', 'Nobody listens.');

describe('a dialler', () => {
  let dialled: Connection[];
  let givenUp: Connection[];
  let warnings: unknown[];
  let shutDown: boolean;
  let dialler: Dialler;
  beforeEach(() => {
    jest.useFakeTimers();
    // The longest delays, for which they can be told apart.
    jest.spyOn(Math, 'random').mockReturnValue(1);
    dialled = [];
    givenUp = [];
    warnings = [];
    shutDown = false;
    dialler = new Dialler(ENDPOINT, BACKOFF, {
      connect: (remote) => {
        if (shutDown) throw new PikeError('PIKE_ERR_SHUT_DOWN', 'The connector is shut down.');
        const id = dialled.length + 1;
        const connection = new Connection({ id, inbound: false, remote, local: undefined });
        dialled.push(connection);
        return connection;
      },
      giveUp: (connection) => givenUp.push(connection),
      warn: (error) => warnings.push(error),
    });
    dialler.start();
  });
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  /** How long it waits until it dials again. */
  function waits(): number {
    const before = dialled.length;
    for (let ms = 0; ; ms++) {
      if (dialled.length > before) return ms;
      jest.advanceTimersByTime(1);
    }
  }

  it('dials at once, and waits for longer and longer while that fails', () => {
    expect(dialled).toHaveLength(1);
    const delays = Array.from({ length: 6 }, () => {
      dialler.lost(REFUSED);
      return waits();
    });
    expect(delays).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(warnings[1]).toMatchObject({
      code: 'PIKE_ERR_CONNECT_FAILED',
      cause: REFUSED,
      message: 'Nobody listens. (gateway:4000 is tried again in 200 ms.)',
    });
  });

  it('waits for longer and longer if its connections end as soon as they are there', () => {
    const delays = Array.from({ length: 4 }, () => {
      dialler.connected();
      jest.advanceTimersByTime(BACKOFF.maxDelay - 1);
      dialler.lost();
      return waits();
    });
    expect(delays).toEqual([100, 200, 400, 800]);
    // Of the end of a connection there is an event: no need for the log.
    expect(warnings).toEqual([]);
  });

  it('begins anew after a connection that has held', () => {
    for (let i = 0; i < 5; i++) {
      dialler.lost(REFUSED);
      waits();
    }
    dialler.connected();
    jest.advanceTimersByTime(BACKOFF.maxDelay);
    dialler.lost();
    expect(waits()).toBe(100);
  });

  it('has its connection while it is connecting or connected, and none while it waits', () => {
    expect([dialler.state, dialler.connection]).toEqual(['connecting', dialled[0]]);
    dialler.connected();
    expect([dialler.state, dialler.connection]).toEqual(['connected', dialled[0]]);
    dialler.lost();
    expect([dialler.state, dialler.connection]).toEqual(['waiting', undefined]);
    waits();
    expect([dialler.state, dialler.connection]).toEqual(['connecting', dialled[1]]);
  });

  it('is told once of each end', () => {
    dialler.lost(REFUSED);
    dialler.lost(REFUSED);
    expect(warnings).toHaveLength(1);
    expect(jest.getTimerCount()).toBe(1);
  });

  it.each<[string, () => void, number]>([
    ['connecting, and gives that up', () => undefined, 1],
    ['connected, and leaves that to its server', () => dialler.connected(), 0],
    ['waiting', () => dialler.lost(REFUSED), 0],
  ])('can be stopped while it is %s', (_, come, gives) => {
    come();
    dialler.stop();
    expect(givenUp).toEqual(dialled.slice(0, gives));
    dialler.connected();
    dialler.lost(REFUSED);
    expect(dialler.state).toBe('stopped');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives up if the application has shut its connector down', () => {
    dialler.lost(REFUSED);
    shutDown = true;
    jest.advanceTimersByTime(BACKOFF.maxDelay);
    expect(dialler.state).toBe('stopped');
    expect(warnings[1]).toMatchObject({ code: 'PIKE_ERR_SHUT_DOWN' });
    expect(jest.getTimerCount()).toBe(0);
  });
});

// Prevents: a connection whose other end is gone is kept for hours, and one whose other end is alive
// is given up because this process was busy.
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { PikeError } from '../../core/errors.js';
import { Heartbeat } from './heartbeat.js';

const INTERVAL = 1000;
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('a heartbeat', () => {
  const connection = { bytesRead: 0, paused: false };
  let pings: number;
  let silent: PikeError[];
  let heartbeat: Heartbeat;
  let now: number;
  beforeEach(() => {
    Object.assign(connection, { bytesRead: 0, paused: false });
    pings = 0;
    silent = [];
    now = 5000;
    heartbeat = new Heartbeat(
      { connection, ping: () => pings++, silent: (error) => silent.push(error) },
      INTERVAL,
      now,
    );
  });
  /** Time passes, looked at every quarter of an interval. */
  const pass = async (intervals: number): Promise<void> => {
    for (let round = 0; round < 4 * intervals; round++) {
      now += INTERVAL / 4;
      heartbeat.check(now);
    }
    await nextTurn();
  };

  it('asks after an interval of silence, once, and gives up after another', async () => {
    await pass(0.75);
    expect(pings).toBe(0);
    await pass(0.25);
    expect(pings).toBe(1);
    await pass(0.75);
    expect({ pings, silent }).toEqual({ pings: 1, silent: [] });
    await pass(0.25);
    expect(pings).toBe(1);
    expect(silent).toMatchObject([
      { code: 'PIKE_ERR_HEARTBEAT_TIMEOUT', message: expect.stringContaining('1000 ms') },
    ]);
  });

  it('neither asks nor gives up as long as any byte comes in every interval', async () => {
    for (let i = 0; i < 100; i++) {
      await pass(0.75);
      connection.bytesRead++;
    }
    expect({ pings, silent }).toEqual({ pings: 0, silent: [] });
  });

  it('begins anew when an answer comes, however late within its interval', async () => {
    for (let i = 0; i < 10; i++) {
      await pass(1.75);
      connection.bytesRead++;
      await pass(0.25);
    }
    expect({ pings, silent }).toEqual({ pings: 10, silent: [] });
  });

  it('does not judge what is not read, and tells the peer that we live, in every interval', async () => {
    connection.paused = true;
    await pass(10);
    expect({ pings, silent }).toEqual({ pings: 10, silent: [] });
    connection.paused = false;
    await pass(1);
    expect(silent).toHaveLength(1);
  });

  it('asks before it gives up, even if the process has stood still for many intervals', async () => {
    now += 50 * INTERVAL;
    heartbeat.check(now);
    await nextTurn();
    expect({ pings, silent }).toEqual({ pings: 1, silent: [] });
  });

  it('reads what has come while the process stood still, before it gives up', async () => {
    await pass(1);
    now += 50 * INTERVAL;
    heartbeat.check(now);
    // The answer was there, and is read behind the timer.
    connection.bytesRead++;
    await nextTurn();
    expect({ pings, silent }).toEqual({ pings: 1, silent: [] });
    await pass(0.25);
    await pass(1);
    expect({ pings, silent }).toEqual({ pings: 2, silent: [] });
  });
});

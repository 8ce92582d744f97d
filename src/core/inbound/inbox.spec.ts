/*
 * Prevents: a socket paused and resumed with every event that the application takes, and one that
 * is read while its deserializer waits.
 */
import { describe, expect, it } from '@jest/globals';
import { Connection } from '../connection.js';
import type { Converter, PutBytesResult } from '../converter.js';
import { DONE, WAIT_FOR_CALLBACK, WAIT_FOR_MORE } from '../converter.js';
import type { PikeError } from '../errors.js';
import { readConnectorOptions } from '../options.js';
import { Inbox } from './inbox.js';

const CONNECTION = new Connection({ id: 1, inbound: true, remote: undefined, local: undefined });
const EMPTY = Buffer.alloc(0);

interface Prepared {
  inbox: Inbox<string>;
  /** So many events more, or less, wait for the application. */
  wait: (change: number) => void;
  /** What the socket was told and what the connection was told. */
  log: string[];
  /** The waiting deserializer's callback. */
  callback: () => void;
}

/**
 * An open inbox that takes four events at most, and 65 536 bytes with them.
 * @param answer what the deserializer says to bytes; by default it waits for its callback
 */
function prepare(answer: PutBytesResult[1] = WAIT_FOR_CALLBACK): Prepared {
  const log: string[] = [];
  const prepared = { log, callback: () => {} };
  const converter: Converter<string> = {
    createSerializer: () => ({ getBytes: () => EMPTY }),
    createDeserializer: () => ({
      message: 'message',
      putBytes(data, callback) {
        prepared.callback = callback;
        return [EMPTY, data.length === 0 ? DONE : answer];
      },
    }),
  };
  const limits = { maxPendingEvents: 4, maxMessageBytes: 1_000 };
  const settings = readConnectorOptions('Test', { converter, ...limits }, []);
  const socket = { pause: () => log.push('pause'), resume: () => log.push('resume') };
  const host = {
    socket,
    pendingEvents: 0,
    received: (message: string) => log.push(message),
    inputFailed: ({ code }: PikeError) => log.push(code),
    caughtUp: () => log.push('caught up'),
  };
  const inbox = new Inbox<string>(CONNECTION, settings, host);
  inbox.start();
  log.length = 0;
  const wait = (change: number): void => {
    const step = Math.sign(change);
    for (let left = change; left !== 0; left -= step) {
      host.pendingEvents += step;
      inbox.pendingEventsChanged();
    }
  };
  return Object.assign(prepared, { inbox, wait });
}

describe('Inbox', () => {
  it('stops reading above the mark, and goes on only when half of it has been taken', () => {
    const { log, wait } = prepare();
    wait(4);
    expect(log).toEqual([]);
    wait(1);
    expect(log).toEqual(['pause']);

    wait(-1);
    wait(-1);
    expect(log).toEqual(['pause']);
    wait(-1);

    expect(log).toEqual(['pause', 'resume']);
  });

  it('stops reading while the deserializer waits, and goes on when it is told to', () => {
    const prepared = prepare();
    const { inbox, log } = prepared;
    inbox.push(Buffer.from('one'));
    expect(log).toEqual(['pause']);
    expect(inbox.waiting).toBe(true);

    prepared.callback();
    expect(log).toEqual(['pause', 'message', 'caught up']);
    inbox.goOn();

    expect(log.at(-1)).toBe('resume');
    expect(inbox.truncation).toBeUndefined();
  });

  it('stops reading when too many bytes have come with what waits, until all has been taken', () => {
    const { inbox, log, wait } = prepare(WAIT_FOR_MORE);
    inbox.push(Buffer.alloc(40_000));
    wait(1);
    wait(1);
    inbox.push(Buffer.alloc(20_000));
    expect(log).toEqual([]);
    inbox.push(Buffer.alloc(20_000));
    expect(log).toEqual(['pause']);

    wait(-1);
    expect(log).toEqual(['pause']);
    wait(-1);
    expect(log).toEqual(['pause', 'resume']);

    inbox.push(Buffer.alloc(60_000));
    wait(1);
    expect(log).toEqual(['pause', 'resume']);
  });

  it('reads on, however many bytes a message has, while none waits', () => {
    const { inbox, log } = prepare(WAIT_FOR_MORE);
    for (let i = 0; i < 100; i++) inbox.push(Buffer.alloc(20_000));

    expect(log).toEqual([]);
  });

  it('goes on only when neither stands against it', () => {
    const prepared = prepare();
    const { inbox, log, wait } = prepared;
    inbox.push(Buffer.from('one'));
    wait(5);
    prepared.callback();
    inbox.goOn();
    expect(log).not.toContain('resume');

    wait(-5);

    expect(log.filter((entry) => entry === 'resume')).toHaveLength(1);
  });

  it('holds a message to its time only while it reads', () => {
    const { inbox } = prepare(WAIT_FOR_MORE);
    inbox.push(Buffer.from('half'));
    const late = performance.now() + 3_600_000;

    inbox.pause();
    expect(inbox.overdue(late)).toBeUndefined();
    inbox.resume();

    expect(inbox.overdue(late + 1000)).toBeUndefined();
    expect(inbox.overdue(late + 3_600_000)).toMatchObject({ code: 'PIKE_ERR_INCOMPLETE_TIMEOUT' });
  });

  it('knows whether the input may end here', () => {
    const { inbox } = prepare();
    expect(inbox.truncation).toBeUndefined();

    inbox.push(Buffer.from('half'));

    expect(inbox.truncation).toMatchObject({ code: 'PIKE_ERR_TRUNCATED' });
  });

  it('reads on, and decodes nothing, once it only discards', () => {
    const { inbox, log, wait } = prepare();
    wait(5);

    inbox.discard();
    inbox.push(Buffer.from('too late'));
    wait(1);

    expect(log).toEqual(['pause', 'resume']);
  });
});

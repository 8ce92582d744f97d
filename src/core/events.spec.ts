/*
 * Prevents: an event that a `switch` over its type misses, and one of another copy of the package
 * that is not recognised.
 */
import { describe, expect, it } from '@jest/globals';
import { Connection } from './connection.js';
import type { ConnectorEvent } from './events.js';
import {
  FinishConnectEvent,
  FinishDisconnectEvent,
  MessageReceivedEvent,
  NO_LEFTOVERS,
  RejectedMessageEvent,
  RemoteConnectEvent,
  RemoteDisconnectEvent,
  disconnectEvent,
  isPikeEvent,
} from './events.js';
import { PikeError } from './errors.js';

const CONNECTION = new Connection({ id: 1, inbound: true, remote: undefined, local: undefined });
const ERROR = new PikeError('PIKE_ERR_DEADLINE', 'Too slow.');
const LEFTOVERS = { incomplete: 'a', queued: ['b'], uncertain: ['c'] };

const UNDECIDED = new Promise<boolean>(() => {});

function arrival(finishAccept: (separate: boolean) => boolean): RemoteConnectEvent {
  return new RemoteConnectEvent(CONNECTION, { finishAccept, accepted: UNDECIDED });
}

const EVENTS: ConnectorEvent<string>[] = [
  new FinishConnectEvent<string>(CONNECTION, true, []),
  new FinishDisconnectEvent<string>(CONNECTION, NO_LEFTOVERS),
  arrival(() => true),
  new RemoteDisconnectEvent<string>(CONNECTION, LEFTOVERS, ERROR),
  new MessageReceivedEvent(CONNECTION, 'message'),
  new RejectedMessageEvent(CONNECTION, 'message', ERROR),
];

describe('the six events', () => {
  it('have a type of their own and their connection', () => {
    expect(EVENTS.map(({ type }) => type)).toEqual([
      'finishConnect',
      'finishDisconnect',
      'remoteConnect',
      'remoteDisconnect',
      'messageReceived',
      'rejectedMessage',
    ]);
    expect(EVENTS.every(({ connection }) => connection === CONNECTION)).toBe(true);
  });

  it('are recognised by their brand, not their class', () => {
    const foreign = { [Symbol.for('nestjs-pike.PikeEvent')]: true };

    expect([...EVENTS, foreign].every(isPikeEvent)).toBe(true);
    expect([null, undefined, 'x', {}, { type: 'remoteConnect' }].some(isPikeEvent)).toBe(false);
  });
});

describe('the last event of a connection', () => {
  it.each(['finishDisconnect', 'remoteDisconnect'] as const)(
    '%s has what was not sent, and why',
    (type) => {
      expect(disconnectEvent(type, CONNECTION, LEFTOVERS, ERROR)).toMatchObject({
        type,
        ...LEFTOVERS,
        error: ERROR,
      });
    },
  );
});

describe('finishAccept', () => {
  it('passes on how to accept, and what came of it', () => {
    const asked: boolean[] = [];
    const accept = (separate: boolean): boolean => {
      asked.push(separate);
      return separate;
    };

    expect(arrival(accept).finishAccept()).toBe(false);
    expect(arrival(accept).finishAccept({})).toBe(false);
    expect(arrival(accept).finishAccept({ separate: true })).toBe(true);
    expect(asked).toEqual([false, false, true]);
  });

  it('throws when it is called again, whatever came of the first call', () => {
    const event = arrival(() => false);
    event.finishAccept();

    expect(() => event.finishAccept()).toThrow(
      expect.objectContaining({ code: 'PIKE_ERR_ACCEPT_FINISHED' }),
    );
  });

  it.each<[string, unknown]>([
    ['seperate', { seperate: true }],
    ['separate', { separate: 'yes' }],
    ['options', null],
  ])('names a wrong option, %s, and can be called again', (name, options) => {
    const event = arrival(() => true);

    expect(() => event.finishAccept(options as object)).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_INVALID_OPTION',
        message: expect.stringContaining(`"${name}"`),
      }),
    );
    expect(event.finishAccept()).toBe(true);
  });
});

describe('accepted', () => {
  it('is asked of what stands behind the event, and only when somebody asks', () => {
    let asked = 0;
    const event = new RemoteConnectEvent(CONNECTION, {
      finishAccept: () => true,
      get accepted() {
        asked++;
        return UNDECIDED;
      },
    });
    event.finishAccept();
    expect(asked).toBe(0);

    expect(event.accepted).toBe(UNDECIDED);
    expect(asked).toBe(1);
  });
});

// Prevents: an event that came in time is not handled because its peer has left, or a stream of it goes
// on for ever behind a peer that has.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { EMPTY, NEVER, Observable, of, throwError } from 'rxjs';
import { eventually } from '../../../test/support/eventually.js';
import { EventRun } from './event-run.js';
import type { EventStreams } from './event-run.js';
import { nextTurn } from './turn.js';

class Owner implements EventStreams {
  ended = false;
  readonly eventStreams = new Set<EventRun>();
}

let peer: Owner;
let server: Owner;
let reported: unknown[];
let over: number;
let tornDown: number;
beforeEach(() => {
  [peer, server, reported, over, tornDown] = [new Owner(), new Owner(), [], 0, 0];
});

const run = (): EventRun => {
  const eventRun = new EventRun([peer, server], (error) => reported.push(error));
  eventRun.whenOver(() => over++);
  return eventRun;
};

let emit: (value: unknown) => void;
const stream = () =>
  new Observable((subscriber) => {
    emit = (value) => subscriber.next(value);
    return () => tornDown++;
  });

let yielded: number;
async function* endless() {
  yielded = 0;
  try {
    for (;;) {
      yielded++;
      yield yielded;
    }
  } finally {
    tornDown++;
  }
}

const leave = (): void => {
  peer.ended = true;
  for (const each of peer.eventStreams) each.leave();
};

describe('the run of an event', () => {
  it.each<[string, unknown]>([
    ['a value', 1],
    ['nothing', undefined],
    ['an Observable that completes', of(1, 2, 3)],
    ['an Observable without values', EMPTY],
  ])('is over when its handler has returned %s', (_, result) => {
    run().resolve(result);
    expect({ over, reported, streams: peer.eventStreams.size }).toEqual({
      over: 1,
      reported: [],
      streams: 0,
    });
  });

  it.each<[string, (eventRun: EventRun) => void]>([
    ['the handler throws', (eventRun) => eventRun.threw('broken')],
    ['its stream fails', (eventRun) => eventRun.resolve(throwError(() => 'broken'))],
  ])('is over, and reported, when %s', (_, fail) => {
    fail(run());
    expect({ over, reported }).toEqual({ over: 1, reported: ['broken'] });
  });

  it('goes on as long as its stream does', async () => {
    const eventRun = run();
    eventRun.resolve(stream());
    for (let i = 0; i < 10; i++) emit(i);
    await nextTurn();
    expect({ over, tornDown, streams: server.eventStreams.size }).toEqual({
      over: 0,
      tornDown: 0,
      streams: 1,
    });
  });

  it('gives every value of a generator a turn of its own', async () => {
    run().resolve(endless());
    for (let turn = 1; turn < 20; turn++) {
      await nextTurn();
      expect(yielded).toBeLessThanOrEqual(turn + 1);
    }
    leave();
    await eventually(() => tornDown === 1);
  });
});

describe('when its peer has left, the run of an event', () => {
  it('ends if its stream has given a value', async () => {
    run().resolve(stream());
    emit(1);
    await nextTurn();

    leave();

    expect({ over, tornDown }).toEqual({ over: 1, tornDown: 1 });
    expect(peer.eventStreams.size + server.eventStreams.size).toBe(0);
  });

  it('ends the generator', async () => {
    run().resolve(endless());
    await eventually(() => yielded > 2);
    leave();
    await eventually(() => tornDown === 1);
    expect(over).toBe(1);
  });

  it('gets as far as the first value: it may be the handler behind an interceptor', async () => {
    run().resolve(stream());
    leave();
    expect({ over, tornDown }).toEqual({ over: 0, tornDown: 0 });

    emit('handled');
    await nextTurn();

    expect({ over, tornDown }).toEqual({ over: 1, tornDown: 1 });
  });

  it('says once that its first value is given, which is its end', async () => {
    let given = 0;
    const eventRun = run();
    eventRun.resolve(stream());
    eventRun.whenGiven(() => given++);
    leave();

    emit('handled');
    await nextTurn();

    expect({ over, given }).toEqual({ over: 1, given: 1 });
  });

  it('is begun all the same, and gets as far as the first value', async () => {
    leave();
    run().resolve(endless());
    await eventually(() => tornDown === 1);
    expect({ over, yielded }).toEqual({ over: 1, yielded: 1 });
  });
});

describe('when the server has closed, the run of an event', () => {
  it('is stopped, whether or not it has given a value', () => {
    run().resolve(stream());
    run().resolve(NEVER);
    for (const each of server.eventStreams) each.stop();
    expect({ over, tornDown }).toEqual({ over: 2, tornDown: 1 });
  });

  it('that comes late gets no further than its first value', async () => {
    server.ended = true;
    run().resolve(endless());
    await eventually(() => tornDown === 1);
    expect({ over, yielded }).toEqual({ over: 1, yielded: 1 });
  });
});

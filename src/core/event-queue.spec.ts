/*
 * Prevents: events delivered out of order, twice, or from within the call that causes them, and a
 * count of waiting events that drifts, so that a socket is never read again.
 */
import { describe, expect, it } from '@jest/globals';
import { Connection } from './connection.js';
import { EventQueue } from './event-queue.js';
import { MessageReceivedEvent } from './events.js';
import type { ConnectorEvent } from './events.js';

const CONNECTION = new Connection({ id: 1, inbound: true, remote: undefined, local: undefined });

interface Prepared {
  queue: EventQueue<number>;
  /** How many events wait, by what the queue has told. */
  waiting: () => number;
  errors: Error[];
}

function prepare(): Prepared {
  let waiting = 0;
  const errors: Error[] = [];
  const queue = new EventQueue<number>(
    (_event, change) => (waiting += change),
    (error) => errors.push(error),
  );
  return { queue, waiting: () => waiting, errors };
}

function event(number: number): ConnectorEvent<number> {
  return new MessageReceivedEvent(CONNECTION, number);
}

function numberOf(received: ConnectorEvent<number> | undefined): number | undefined {
  return received?.type === 'messageReceived' ? received.message : undefined;
}

/** Subscribes and collects. */
function collect(
  queue: EventQueue<number>,
  onNumber: (number: number) => void = () => {},
): number[] {
  const numbers: number[] = [];
  queue.subscribe((received) => {
    const number = numberOf(received) as number;
    numbers.push(number);
    onNumber(number);
  });
  return numbers;
}

const tick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

describe('receive', () => {
  it('answers in order, what waits and what is waited for', async () => {
    const { queue, waiting } = prepare();
    queue.post(event(1));
    queue.deliver(event(2));
    expect(waiting()).toBe(2);
    const received = [1, 2, 3, 4].map(() => queue.receive());
    queue.deliver(event(3));
    queue.post(event(4));

    expect((await Promise.all(received)).map(numberOf)).toEqual([1, 2, 3, 4]);
    expect(waiting()).toBe(0);
  });

  it('answers what is left after close, then undefined', async () => {
    const { queue } = prepare();
    const early = queue.receive();
    const alsoEarly = queue.receive();
    queue.post(event(1));
    queue.close();
    queue.post(event(2));

    expect(numberOf(await early)).toBe(1);
    expect(await alsoEarly).toBeUndefined();
    expect(numberOf(await queue.receive())).toBe(2);
    expect(await queue.receive()).toBeUndefined();
  });
});

describe('a listener', () => {
  it('is called at once with what is delivered, and later with what is posted', async () => {
    const { queue, waiting } = prepare();
    const numbers = collect(queue);

    queue.deliver(event(1));
    expect(numbers).toEqual([1]);
    queue.post(event(2));
    expect(numbers).toEqual([1]);
    expect(waiting()).toBe(1);
    await tick();

    expect(numbers).toEqual([1, 2]);
    expect(waiting()).toBe(0);
  });

  it('is never told of what is delivered before what was posted', async () => {
    const { queue } = prepare();
    const numbers = collect(queue);
    queue.post(event(1));
    queue.deliver(event(2));
    queue.deliver(event(3));
    expect(numbers).toEqual([]);
    await tick();

    expect(numbers).toEqual([1, 2, 3]);
  });

  it('is never called from within itself', async () => {
    const { queue } = prepare();
    const log: string[] = [];
    queue.subscribe((received) => {
      const number = numberOf(received) as number;
      log.push(`begin ${number}`);
      if (number < 3) {
        queue.deliver(event(number + 1));
        queue.post(event(number + 10));
      }
      log.push(`end ${number}`);
    });
    queue.deliver(event(1));
    await tick();

    expect(log).toEqual(
      [1, 2, 11, 3, 12].flatMap((number) => [`begin ${number}`, `end ${number}`]),
    );
  });

  it('that throws or rejects is reported, and the next event comes', async () => {
    const { queue, errors } = prepare();
    const numbers = collect(queue, (number) => {
      throw new Error(`on ${number}`);
    });
    queue.deliver(event(1));
    queue.post(event(2));
    queue.post(event(3));
    await tick();

    expect(numbers).toEqual([1, 2, 3]);
    expect(errors.map(({ message }) => message)).toEqual(['on 1', 'on 2', 'on 3']);
  });

  it('takes up what waits, in a later tick', async () => {
    const { queue } = prepare();
    queue.deliver(event(1));
    queue.post(event(2));
    const numbers = collect(queue);
    expect(numbers).toEqual([]);
    queue.deliver(event(3));
    await tick();

    expect(numbers).toEqual([1, 2, 3]);
  });

  it('that has ended its subscription is told no more; the next one goes on', async () => {
    const { queue } = prepare();
    const numbers: (number | undefined)[] = [];
    const end = queue.subscribe((received) => {
      numbers.push(numberOf(received));
      end();
    });
    queue.post(event(1));
    queue.post(event(2));
    await tick();
    expect(numbers).toEqual([1]);

    const later = collect(queue);
    end();
    await tick();
    expect(later).toEqual([2]);
  });

  it('may subscribe again in the tick in which the posted event would have come', async () => {
    const { queue } = prepare();
    const end = queue.subscribe(() => {
      throw new Error('not any more');
    });
    queue.post(event(1));
    end();
    const numbers = collect(queue);
    await tick();
    await tick();

    expect(numbers).toEqual([1]);
  });

  it('excludes receivers, and receivers exclude it', async () => {
    const { queue } = prepare();
    const waiting = queue.receive();
    expect(() => collect(queue)).toThrow(expect.objectContaining({ code: 'PIKE_ERR_SUBSCRIBED' }));
    queue.post(event(1));
    await waiting;
    collect(queue);

    expect(() => collect(queue)).toThrow(expect.objectContaining({ code: 'PIKE_ERR_SUBSCRIBED' }));
    await expect(queue.receive()).rejects.toMatchObject({ code: 'PIKE_ERR_SUBSCRIBED' });
  });
});

describe('moveTo', () => {
  it('hands everything over, in order, behind what waits there', async () => {
    const from = prepare();
    const to = prepare();
    to.queue.post(event(1));
    from.queue.post(event(2));
    from.queue.deliver(event(3));

    from.queue.moveTo(to.queue);
    to.queue.deliver(event(4));

    expect(from.waiting()).toBe(0);
    expect(to.waiting()).toBe(4);
    const received = await Promise.all([1, 2, 3, 4].map(() => to.queue.receive()));
    expect(received.map(numberOf)).toEqual([1, 2, 3, 4]);
    expect(await from.queue.receive()).toBeUndefined();
  });

  it('tells those who wait that nothing more comes', async () => {
    const from = prepare();
    const waiting = from.queue.receive();

    from.queue.moveTo(prepare().queue);

    expect(await waiting).toBeUndefined();
  });

  it('gives a listener of the other queue what has waited', async () => {
    const from = prepare();
    const to = prepare();
    const numbers = collect(to.queue);
    from.queue.post(event(1));

    from.queue.moveTo(to.queue);
    to.queue.deliver(event(2));
    expect(numbers).toEqual([]);
    await tick();

    expect(numbers).toEqual([1, 2]);
    expect(to.waiting()).toBe(0);
  });
});

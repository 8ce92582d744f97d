// Prevents: a system call per message, a chunk written over while the system still reads it, a
// message that stays behind although the socket is free, and a failing message that takes its
// neighbours with it. (The fates of messages are the subject of outbox.spec.ts.)
import { describe, expect, it, jest } from '@jest/globals';
import type { Parcel, Piece } from '../../../test/support/parcel-converter.js';
import {
  bytesOf,
  FramedParcelConverter,
  ParcelConverter,
} from '../../../test/support/parcel-converter.js';
import type { ByteWriter } from '../bytes/byte-writer.js';
import { Connection } from '../connection.js';
import { FramedConverter } from '../framed-converter.js';
import { ChunkPool } from './chunk-pool.js';
import { createMessageEncoder } from './message-encoder.js';
import type { OutboundHost } from './outbound-pump.js';
import { OutboundPump } from './outbound-pump.js';

const connection = new Connection({ id: 1, inbound: false, remote: undefined, local: undefined });
const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A pump and what it tells its connection. */
class Run implements OutboundHost<Parcel> {
  readonly callbacks: (() => void)[] = [];
  readonly converter: ParcelConverter | FramedParcelConverter;
  readonly pump: OutboundPump<Parcel>;
  readonly pool: ChunkPool;
  readonly chunks: Buffer[] = [];
  readonly rejections: Parcel[] = [];
  failures = 0;
  sentMessages = 0;
  timesIdle = 0;
  /** Whether the system copies each chunk when it is handed over. */
  copies = false;
  act: (name: string) => void = () => {};
  onRejected: () => void = () => {};

  constructor({ framed = false, chunkBytes = 64 }: { framed?: boolean; chunkBytes?: number } = {}) {
    const hooks = {
      act: (name: string) => this.act(name),
      later: (callback: () => void) => void this.callbacks.push(callback),
    };
    this.converter = framed ? new FramedParcelConverter(hooks) : new ParcelConverter(hooks);
    this.pool = new ChunkPool(chunkBytes);
    const encoder = createMessageEncoder(
      this.converter,
      connection,
      () => this.pump.flush(),
      undefined,
    );
    this.pump = new OutboundPump<Parcel>(encoder, this.pool, this);
  }

  write(chunk: Buffer): boolean {
    this.chunks.push(this.copies ? Buffer.from(chunk) : chunk);
    return this.copies;
  }

  rejected(message: Parcel): void {
    this.rejections.push(message);
    this.onRejected();
  }

  serializerFailed(): void {
    this.failures++;
    this.pump.stop({ exact: 0 });
  }

  sent(count: number): void {
    this.sentMessages += count;
  }

  idle(): void {
    this.timesIdle++;
  }

  send(...messages: Parcel[]): void {
    for (const message of messages) this.pump.send(message);
  }

  /** Takes every chunk as it comes, until none comes any more; returns the bytes of all. */
  takeAll(): Buffer {
    const taken: Buffer[] = [];
    for (let next = 0; next < this.chunks.length; next++) {
      taken.push(Buffer.from(this.chunks[next] as Buffer));
      this.pump.written();
    }
    this.chunks.length = 0;
    return Buffer.concat(taken);
  }
}

let lastId = 0;
const parcel = (...pieces: Piece[]): Parcel => ({ id: ++lastId, pieces });

describe.each([{ framed: true }, { framed: false }])('OutboundPump, $framed', ({ framed }) => {
  it('hands over the messages of a turn in one chunk, at its end', async () => {
    const run = new Run({ framed });
    run.pump.start();
    const messages = [parcel({ bytes: 5 }), parcel({ bytes: 6 }), parcel({ bytes: 7 })];
    run.send(...messages);
    expect(run.chunks).toHaveLength(0);
    await endOfTurn();
    expect(run.chunks).toHaveLength(1);
    expect(run.takeAll()).toEqual(bytesOf(messages));
    expect(run.sentMessages).toBe(3);
  });

  it('does not wait for the end of the turn once there is plenty', async () => {
    const run = new Run({ framed, chunkBytes: 65_536 });
    run.pump.start();
    run.send(parcel({ bytes: 4000 }));
    await endOfTurn();
    run.takeAll();
    for (let i = 0; i < 20; i++) run.send(parcel({ bytes: 4000 }));
    expect(run.chunks).toHaveLength(1);
  });

  it('hands over one chunk at a time, and gathers what comes meanwhile', async () => {
    const run = new Run({ framed });
    run.pump.start();
    run.send(parcel({ bytes: 5 }));
    await endOfTurn();
    run.send(parcel({ bytes: 5 }));
    await endOfTurn();
    run.send(parcel({ bytes: 5 }));
    await endOfTurn();
    expect(run.chunks).toHaveLength(1);
    run.pump.written();
    expect(run.chunks.map(({ length }) => length)).toEqual([5, 10]);
  });

  it('returns a chunk at once if the system has copied it, and not while it reads it', async () => {
    const run = new Run({ framed });
    run.pump.start();
    const made = jest.spyOn(Buffer, 'allocUnsafeSlow');
    for (const copies of [false, true, true]) {
      run.copies = copies;
      run.send(parcel({ bytes: 5 }));
      await endOfTurn();
      // Another connection that sends in the same turn.
      run.pool.release(run.pool.acquire());
      run.takeAll();
    }
    const chunks = made.mock.calls.length;
    made.mockRestore();

    expect(chunks).toBe(2);
  });

  it('keeps everything until it is started', async () => {
    const run = new Run({ framed });
    const messages = [parcel({ bytes: 5 }), parcel({ bytes: 6 })];
    run.send(...messages);
    await endOfTurn();
    run.pump.flush();
    expect(run.chunks).toHaveLength(0);
    run.pump.start();
    await endOfTurn();
    expect(run.takeAll()).toEqual(bytesOf(messages));
  });

  it('lends a chunk to another connection only when the system has taken it', async () => {
    const run = new Run({ framed });
    run.pump.start();
    const message = parcel({ bytes: 5 });
    run.send(message);
    await endOfTurn();
    run.pool.acquire().fill(0);
    expect(run.chunks[0]).toEqual(bytesOf([message]));
    run.pump.written();
    run.pool.acquire().fill(0);
    expect(run.chunks[0]).toEqual(Buffer.alloc(5));
  });

  it('never lends out a chunk that was in flight when it was stopped', async () => {
    const run = new Run({ framed });
    run.pump.start();
    const message = parcel({ bytes: 5 });
    run.send(message);
    await endOfTurn();
    run.pump.stop({ exact: 2 });
    run.pump.written();
    for (let i = 0; i < 3; i++) run.pool.acquire().fill(0);
    expect(run.chunks[0]).toEqual(bytesOf([message]));
  });

  it('rejects a message that fails, and sends its neighbours', async () => {
    const run = new Run({ framed });
    run.pump.start();
    const messages = [
      parcel({ bytes: 5 }),
      parcel({ bytes: 6 }, { throws: true }),
      parcel({ bytes: 7 }),
    ];
    run.send(...messages);
    await endOfTurn();
    expect(run.takeAll()).toEqual(bytesOf([messages[0] as Parcel, messages[2] as Parcel]));
    expect(run.rejections).toEqual([messages[1]]);
    expect(run.sentMessages).toBe(2);
    expect(run.failures).toBe(0);
  });

  it('serializes nothing behind a message that fails before its owner can take that back', async () => {
    const run = new Run({ framed });
    run.pump.start();
    const messages = [parcel({ bytes: 5 }), parcel({ throws: true }), parcel({ bytes: 7 })];
    const [, , last] = messages as [Parcel, Parcel, Parcel];
    let withdrawn = -1;
    run.onRejected = () => process.nextTick(() => (withdrawn = run.pump.withdraw(last)));
    run.send(...messages);
    await endOfTurn();

    expect(withdrawn).not.toBe(-1);
    expect(run.takeAll()).toEqual(bytesOf(messages.slice(0, 1)));
    run.pump.flush();
    expect(run.timesIdle).toBeGreaterThan(0);
  });

  it('sends messages without bytes without a system call', async () => {
    const run = new Run({ framed });
    run.pump.start();
    run.send(parcel(), parcel());
    await endOfTurn();
    expect(run.chunks).toHaveLength(0);
    expect(run.sentMessages).toBe(2);
    expect(run.timesIdle).toBeGreaterThan(0);
  });

  it('says that it is idle when everything was taken, not before', async () => {
    const run = new Run({ framed });
    run.pump.start();
    run.send(parcel({ bytes: 5 }));
    await endOfTurn();
    expect(run.timesIdle).toBe(0);
    run.takeAll();
    expect(run.timesIdle).toBe(1);
  });

  it('sends what is given from within the serializing of another message', async () => {
    const run = new Run({ framed });
    const inner = parcel({ bytes: 7 });
    run.act = () => run.send(inner);
    run.pump.start();
    const outer = parcel({ bytes: 3 }, { acts: 'send' }, { bytes: 4 });
    run.send(outer);
    await endOfTurn();
    expect(run.takeAll()).toEqual(bytesOf([outer, inner]));
  });

  it('does not take back a message from within its own serializing', async () => {
    const run = new Run({ framed });
    const messages = [
      parcel({ bytes: 3 }, { acts: 'take back' }, { bytes: 4 }),
      parcel({ bytes: 5 }),
    ];
    run.act = () => {
      expect(run.pump.withdraw(messages[0] as Parcel)).toBe(-1);
      expect(run.pump.takeWaiting()).toEqual([messages[1]]);
    };
    run.pump.start();
    run.send(...messages);
    await endOfTurn();
    expect(run.takeAll()).toEqual(bytesOf([messages[0] as Parcel]));
    expect(run.sentMessages).toBe(1);
  });

  it('hands over nothing when it is stopped from within', async () => {
    const run = new Run({ framed });
    const messages = [parcel({ bytes: 3 }), parcel({ bytes: 3 }, { acts: 'stop' }, { bytes: 4 })];
    let queued: readonly Parcel[] = [];
    run.act = () => (queued = run.pump.stop({ exact: 0 }).leftovers.queued);
    run.pump.start();
    run.send(...messages);
    await endOfTurn();
    expect(run.chunks).toHaveLength(0);
    expect(queued).toEqual(messages);
  });
});

describe('OutboundPump with messages in pieces', () => {
  it('cuts a message into chunks', async () => {
    const run = new Run({ chunkBytes: 10 });
    run.pump.start();
    const messages = [parcel({ bytes: 25 }, { bytes: 10 }), parcel({ bytes: 3 })];
    run.send(...messages);
    await endOfTurn();
    expect(run.takeAll()).toEqual(bytesOf(messages));
    expect(run.sentMessages).toBe(2);
  });

  it('sends what there is while a serializer waits, and the rest after its callback', async () => {
    const run = new Run();
    run.pump.start();
    const messages = [
      parcel({ bytes: 5 }, { wait: 'later' }, { wait: 'later' }, { bytes: 5 }),
      parcel({ bytes: 6 }),
    ];
    run.send(...messages);
    await endOfTurn();
    const before = run.takeAll();
    expect(before).toHaveLength(5);
    expect(run.sentMessages).toBe(0);
    run.callbacks[0]?.();
    expect(run.chunks).toHaveLength(0);
    run.callbacks[1]?.();
    expect(Buffer.concat([before, run.takeAll()])).toEqual(bytesOf(messages));
    expect(run.sentMessages).toBe(2);
  });

  it('breaks when a message fails of which bytes have left', async () => {
    const run = new Run({ chunkBytes: 10 });
    run.pump.start();
    run.send(parcel({ bytes: 15 }, { throws: true }), parcel({ bytes: 3 }));
    await endOfTurn();
    run.takeAll();
    expect(run.failures).toBe(1);
    expect(run.pump.queue.account).toMatchObject({ incomplete: 1, queued: 1, rejected: 0 });
  });

  it('withdraws a message whose serializer has given nothing yet, and destroys that', async () => {
    const run = new Run();
    run.pump.start();
    const messages = [parcel({ wait: 'later' }, { bytes: 5 }), parcel({ bytes: 6 })];
    run.send(...messages);
    await endOfTurn();
    expect(run.pump.withdraw(messages[0] as Parcel)).toBe(0);
    expect((run.converter as ParcelConverter).living.size).toBe(0);
    run.pump.flush();
    run.callbacks[0]?.();
    expect(run.takeAll()).toEqual(bytesOf([messages[1] as Parcel]));
    expect((run.converter as ParcelConverter).violations).toEqual([]);
  });

  it('goes on with the next message when the one that is waited for is withdrawn', async () => {
    const run = new Run();
    run.pump.start();
    const messages = [parcel({ wait: 'later' }, { bytes: 5 }), parcel({ bytes: 6 })];
    run.send(...messages);
    await endOfTurn();
    run.pump.withdraw(messages[0] as Parcel);
    await endOfTurn();
    expect(run.takeAll()).toEqual(bytesOf([messages[1] as Parcel]));
  });

  it('does not withdraw a message of which bytes have left', async () => {
    const run = new Run({ chunkBytes: 10 });
    run.pump.start();
    const message = parcel({ bytes: 15 });
    run.send(message);
    await endOfTurn();
    expect(run.pump.withdraw(message)).toBe(-1);
    run.chunks.splice(0);
    run.pump.written();
    expect(run.pump.withdraw(message)).toBe(-1);
    expect(run.takeAll()).toEqual(bytesOf([message]).subarray(10));
  });
});

describe('a converter that goes on writing when it has failed', () => {
  it('cannot write into what the system still reads', async () => {
    let late = (): void => {};
    class Careless extends FramedConverter<string> {
      encode(message: string, writer: ByteWriter): void {
        if (message !== 'bad') {
          writer.writeString(message);
          return;
        }
        const start = writer.reserve(4);
        // As an async encode does behind its first await.
        late = () => writer.fillUInt32BE(0, start);
        throw new Error('cannot write it');
      }

      decode(): undefined {}
    }
    const chunks: Buffer[] = [];
    const encoder = createMessageEncoder(new Careless(), connection, () => {}, undefined);
    const pump = new OutboundPump<string>(encoder, new ChunkPool(64), {
      write: (chunk) => {
        chunks.push(chunk);
        return false;
      },
      rejected: () => {},
      serializerFailed: () => {},
      sent: () => {},
      idle: () => {},
    });
    pump.start();
    for (const message of ['first', 'bad', 'third']) pump.send(message);
    await endOfTurn();

    expect(late).toThrow(RangeError);
    expect(chunks.map(String)).toEqual(['first']);
    pump.written();
    expect(late).toThrow(RangeError);
    expect(chunks.slice(1).map(String)).toEqual(['third']);
  });
});

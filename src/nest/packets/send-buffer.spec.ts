// Prevents: those who can wait producing without bound for a peer that does not read, all going on at
// once when there is room for one, or never going on.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { SendBuffer } from './send-buffer.js';

const MIB = 1_048_576;
const KIB = 1_024;

/** Resolves when what the promises of this turn lead to has happened, and the next turn too. */
async function turns(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A connection whose messages are sent, or fail, when the test says so. */
class Connection {
  #flushers: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #drainers: (() => void)[] = [];
  asked = 0;

  flushed(): Promise<void> {
    this.asked++;
    return new Promise((resolve, reject) => this.#flushers.push({ resolve, reject }));
  }

  drained(): Promise<void> {
    return new Promise((resolve) => this.#drainers.push(resolve));
  }

  sendsEverything(): void {
    for (const { resolve } of this.#flushers.splice(0)) resolve();
  }

  returnsEverything(): void {
    for (const { reject } of this.#flushers.splice(0)) reject(new Error('A message came back.'));
  }

  drains(): void {
    for (const resolve of this.#drainers.splice(0)) resolve();
  }
}

let connection: Connection;
let buffer: SendBuffer;
/** Who has been told that there is room, in order. */
let wentOn: string[];
beforeEach(() => {
  connection = new Connection();
  buffer = new SendBuffer(connection);
  wentOn = [];
});

const send = (bytes: number, count = 1, ready = true): void => {
  for (let i = 0; i < count; i++) {
    buffer.add(bytes);
    buffer.given(bytes, ready);
  }
};
const waitFor = async (name: string, then: () => void = () => undefined): Promise<void> => {
  await buffer.room();
  wentOn.push(name);
  then();
};
const wait = (...names: string[]): void => {
  for (const name of names) void waitFor(name);
};

describe('a send buffer', () => {
  it('has room until a megabyte waits, and again when it is sent', async () => {
    send(256 * KIB, 3);
    expect(buffer.hasRoom).toBe(true);
    send(256 * KIB);
    expect({ room: buffer.hasRoom, bytes: buffer.bytes }).toEqual({ room: false, bytes: MIB });

    connection.sendsEverything();
    await turns();
    connection.sendsEverything();
    await turns();

    expect({ room: buffer.hasRoom, bytes: buffer.bytes }).toEqual({ room: true, bytes: 0 });
  });

  it('counts what is still being serialized, and not what is not sent after all', () => {
    buffer.add(2 * MIB);
    expect(buffer.hasRoom).toBe(false);
    buffer.remove(2 * MIB);
    expect({ room: buffer.hasRoom, bytes: buffer.bytes }).toEqual({ room: true, bytes: 0 });
  });

  it('counts what came back as gone', async () => {
    send(2 * MIB);
    connection.returnsEverything();
    await turns();
    expect(buffer.bytes).toBe(0);
  });

  it('asks once for many small packets, and never for a few', () => {
    send(100, 2_000);
    expect(connection.asked).toBe(0);
    send(100, 2_000);
    expect(connection.asked).toBe(1);
    send(100, 2_000);
    expect(connection.asked).toBe(1);
  });

  it('asks again for what was given since, when it had been asked for little', async () => {
    send(300 * KIB);
    send(2 * MIB);
    expect(connection.asked).toBe(1);

    connection.sendsEverything();
    await turns();
    expect({ asked: connection.asked, room: buffer.hasRoom }).toEqual({ asked: 2, room: false });

    connection.sendsEverything();
    await turns();
    expect(buffer.bytes).toBe(0);
  });

  it('has no room while more messages wait than the high-water mark of the connector', async () => {
    send(10, 1, false);
    send(10, 1, false);
    expect({ room: buffer.hasRoom, allowance: buffer.allowance }).toEqual({
      room: false,
      allowance: 0,
    });
    wait('a');
    await turns();
    expect(wentOn).toEqual([]);

    connection.drains();
    await turns();

    expect({ room: buffer.hasRoom, wentOn }).toEqual({ room: true, wentOn: ['a'] });
  });
});

describe('those who wait for room', () => {
  it('go on in order', async () => {
    send(2 * MIB);
    wait('a', 'b', 'c');
    await turns();
    expect(wentOn).toEqual([]);

    connection.sendsEverything();
    await turns();

    expect(wentOn).toEqual(['a', 'b', 'c']);
  });

  it('go on one by one where each sends as much as there is room for', async () => {
    send(2 * MIB);
    for (let i = 0; i < 5; i++) {
      void waitFor(`${i}`, () => send(2 * MIB));
    }

    for (let i = 1; i <= 5; i++) {
      connection.sendsEverything();
      await turns();
      expect(wentOn).toHaveLength(i);
    }
  });

  it('do not wait for one who has been told and sends nothing', async () => {
    send(2 * MIB);
    wait('says nothing', 'has to wait a turn');

    connection.sendsEverything();
    await turns();

    expect(wentOn).toEqual(['says nothing', 'has to wait a turn']);
  });

  it('go on when there is room already', async () => {
    wait('a');
    await turns();
    expect(wentOn).toEqual(['a']);
  });

  it('go on when what was being serialized fails', async () => {
    buffer.add(2 * MIB);
    wait('a');
    buffer.remove(2 * MIB);
    await turns();
    expect(wentOn).toEqual(['a']);
  });
});

describe('the allowance', () => {
  it('is a few at first, since nobody knows how large packets are', () => {
    expect(buffer.allowance).toBe(32);
  });

  it('is thousands where they are small, after some', () => {
    send(100, 200);
    expect(buffer.allowance).toBeGreaterThan(5_000);
  });

  it('is one at once where one was large, and grows again with the next small ones', () => {
    send(100, 200);
    send(900 * KIB);
    expect(buffer.allowance).toBe(1);

    send(100, 20);
    const soon = buffer.allowance;
    send(100, 100);

    expect(soon).toBeLessThan(10);
    expect(buffer.allowance).toBeGreaterThan(100);
  });

  it('is none without room', () => {
    send(2 * MIB);
    expect(buffer.allowance).toBe(0);
  });
});

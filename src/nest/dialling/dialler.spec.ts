// Prevents: a client that sticks to a dead server while another would take it, gives up too early
// or never, or goes on dialling when it is closed.
import { describe, expect, it } from '@jest/globals';
import type { Endpoint } from '../../core/endpoint.js';
import { PikeError } from '../../core/errors.js';
import { Dialler } from './dialler.js';
import type { Dial } from './dialler.js';

const endpoint = (port: number): Endpoint => ({ host: 'h', port });
const refused = (to: Endpoint): PikeError =>
  new PikeError('PIKE_ERR_CONNECT_FAILED', `${JSON.stringify(to)} refused.`);

/** Fails at these endpoints; remembers what was dialled. */
function dialling(dead: () => readonly number[]) {
  const dialled: number[] = [];
  const dial: Dial = (to) => {
    const { port } = to as { port: number };
    dialled.push(port);
    return dead().includes(port) ? Promise.reject(refused(to)) : Promise.resolve();
  };
  return { dial, dialled };
}

const reconnect = { minDelay: 0, maxDelay: 0, attempts: Infinity };

describe('a dialler', () => {
  const three = [1, 2, 3].map(endpoint);

  it('takes the first endpoint that accepts', async () => {
    const { dial, dialled } = dialling(() => [1]);
    await new Dialler(three, reconnect, dial).connect();
    expect(dialled).toEqual([1, 2]);
  });

  it('goes on behind the one that was lost, and round', async () => {
    const { dial, dialled } = dialling(() => [2]);
    const dialler = new Dialler(three, reconnect, dial);
    await dialler.connect();
    await dialler.reconnect(() => undefined);
    await dialler.reconnect(() => undefined);
    expect(dialled).toEqual([1, 2, 3, 1]);
  });

  it('says of every endpoint why it failed', async () => {
    const { dial } = dialling(() => [1, 2, 3]);
    const failure = new Dialler(three, reconnect, dial).connect();
    await expect(failure).rejects.toMatchObject({
      code: 'PIKE_ERR_CONNECT_FAILED',
      message: expect.stringMatching(/any of h:1, h:2, h:3: .*1.*2.*3/),
      cause: { errors: [refused(three[0]!), refused(three[1]!), refused(three[2]!)] },
    });
  });

  it('fails with the error itself if there is one endpoint', async () => {
    const { dial } = dialling(() => [1]);
    const failure = new Dialler([endpoint(1)], reconnect, dial).connect();
    await expect(failure).rejects.toEqual(refused(endpoint(1)));
  });

  it('tries again until it succeeds, and tells of each attempt that failed', async () => {
    let left = 5;
    const { dial, dialled } = dialling(() => (left-- > 0 ? [1] : []));
    const errors: PikeError[] = [];
    await new Dialler([endpoint(1)], reconnect, dial).reconnect((error) => errors.push(error));
    expect(dialled).toHaveLength(6);
    expect(errors).toEqual(Array.from({ length: 5 }, () => refused(endpoint(1))));
  });

  it('gives up after so many attempts, each of which tries every endpoint', async () => {
    const { dial, dialled } = dialling(() => [1, 2]);
    const dialler = new Dialler([1, 2].map(endpoint), { ...reconnect, attempts: 3 }, dial);
    await expect(dialler.reconnect(() => undefined)).rejects.toMatchObject({
      code: 'PIKE_ERR_CONNECT_FAILED',
    });
    expect(dialled).toEqual([1, 2, 1, 2, 1, 2]);
  });

  it('gives up at once what no further attempt can mend', async () => {
    const broken = new PikeError('PIKE_ERR_SHUT_DOWN', 'The connector is shut down.');
    const dial: Dial = () => Promise.reject(broken);
    const dialler = new Dialler(three, reconnect, dial);
    await expect(dialler.reconnect(() => undefined)).rejects.toBe(broken);
  });

  it('stops while it waits', async () => {
    const { dial, dialled } = dialling(() => []);
    const dialler = new Dialler(three, { ...reconnect, minDelay: 1e9, maxDelay: 1e9 }, dial);
    const stopped = dialler.reconnect(() => undefined);
    dialler.stop();
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    expect(dialled).toEqual([]);
  });

  it('stops while it dials', async () => {
    const aborted = new PikeError('PIKE_ERR_CONNECT_ABORTED', 'Aborted.');
    let dialled = 0;
    const dialler = new Dialler(three, reconnect, (_, signal) => {
      dialled++;
      return new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(aborted)),
      );
    });
    const stopped = dialler.connect();
    dialler.stop();
    await expect(stopped).rejects.toBe(aborted);
    expect(dialled).toBe(1);
  });
});

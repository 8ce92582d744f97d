// Prevents: a chunk lent to two connections at once, and a pool that keeps what a burst has needed.
import { describe, expect, it } from '@jest/globals';
import { ChunkPool } from './chunk-pool.js';

describe('ChunkPool', () => {
  it('lends a chunk of the size asked for', () => {
    expect(new ChunkPool(10).acquire()).toHaveLength(10);
  });

  it('lends a returned chunk again, to one borrower', () => {
    const pool = new ChunkPool(10);
    const chunk = pool.acquire();
    pool.release(chunk);
    expect(pool.acquire()).toBe(chunk);
    expect(pool.acquire()).not.toBe(chunk);
  });

  it('lends again what has grown somewhat, and nothing that is larger or smaller', () => {
    const pool = new ChunkPool(10);
    for (const bytes of [0, 9, 21, 1000]) pool.release(Buffer.alloc(bytes));
    expect(pool.acquire()).toHaveLength(10);
    const grown = Buffer.alloc(20);
    pool.release(grown);
    expect(pool.acquire()).toBe(grown);
  });

  it('keeps a bounded number', () => {
    const pool = new ChunkPool(1);
    const lent = Array.from({ length: 1000 }, () => pool.acquire());
    for (const chunk of lent) pool.release(chunk);
    const known = new Set(lent);
    let again = 0;
    while (known.delete(pool.acquire())) again++;
    expect(again).toBeGreaterThan(0);
    expect(again).toBeLessThan(100);
  });
});

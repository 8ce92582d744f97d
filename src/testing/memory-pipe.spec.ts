// Prevents: a memory connection that holds more or less than it says, gives bytes that its writer
// has changed meanwhile, or loses what was written before its end.
import { describe, expect, it } from '@jest/globals';
import { MEMORY_PIPE_BYTES, MemoryPipe } from './memory-pipe.js';

describe('MemoryPipe', () => {
  it('gives back what was written, in order and in one piece', () => {
    const pipe = new MemoryPipe();
    pipe.write(Buffer.from('one'));
    pipe.write(Buffer.from('two'));
    expect(pipe.length).toBe(6);
    expect(pipe.read()?.toString()).toBe('onetwo');
    expect(pipe.length).toBe(0);
    expect(pipe.read()).toBeUndefined();
  });

  it('takes copies', () => {
    const pipe = new MemoryPipe();
    const bytes = Buffer.from('one');
    pipe.write(bytes);
    bytes.fill('x');
    expect(pipe.read()?.toString()).toBe('one');
  });

  it('takes what it has room for, and says how much', () => {
    const pipe = new MemoryPipe(5);
    expect(pipe.write(Buffer.from('123'))).toBe(3);
    expect(pipe.write(Buffer.from('456'))).toBe(2);
    expect(pipe.write(Buffer.from('6'))).toBe(0);
    expect(pipe.read()?.toString()).toBe('12345');
    expect(pipe.write(Buffer.from('678901'))).toBe(5);
  });

  it('has room for 65 536 bytes', () => {
    expect(MEMORY_PIPE_BYTES).toBe(65_536);
    expect(new MemoryPipe().write(Buffer.alloc(100_000))).toBe(MEMORY_PIPE_BYTES);
  });

  it('takes nothing more once it has ended, and still gives what it holds', () => {
    const pipe = new MemoryPipe();
    pipe.write(Buffer.from('one'));
    pipe.end();
    expect(pipe.write(Buffer.from('two'))).toBe(0);
    expect(pipe.state).toBe('ended');
    expect(pipe.read()?.toString()).toBe('one');
  });

  it('gives and takes nothing more once it is broken, whatever comes later', () => {
    const pipe = new MemoryPipe();
    pipe.write(Buffer.from('one'));
    pipe.end();
    pipe.break();
    pipe.end();
    expect([pipe.state, pipe.length, pipe.read()]).toEqual(['broken', 0, undefined]);
    expect(pipe.write(Buffer.from('two'))).toBe(0);
  });
});

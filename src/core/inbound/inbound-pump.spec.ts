/*
 * Prevents: messages lost, repeated or reordered because of how their bytes happened to arrive, or
 * because what a message sets off comes back to the pump that delivers it.
 */
import { describe, expect, it } from '@jest/globals';
import type { DecodeProgress, MessageDecoder } from './message-decoder.js';
import { InboundPump } from './inbound-pump.js';

/** Takes words of three letters; `...` waits until `ready`, `!!!` throws. */
class WordDecoder implements MessageDecoder<string> {
  message = '';
  abandoned = 0;
  waits = false;
  #bytes: Buffer = Buffer.alloc(0);

  get remaining(): number {
    return this.#bytes.length;
  }

  get inMidMessage(): boolean {
    return this.waits;
  }

  reset(bytes: Buffer): void {
    this.#bytes = bytes;
  }

  next(): DecodeProgress {
    if (this.waits) return 'waiting';
    if (this.#bytes.length < 3) return 'needs more';
    this.message = this.#bytes.toString('latin1', 0, 3);
    this.#bytes = this.#bytes.subarray(3);
    if (this.message === '!!!') throw new Error('no word');
    if (this.message !== '...') return 'message';
    this.waits = true;
    return 'waiting';
  }

  abandon(): void {
    this.abandoned++;
  }
}

function prepare(onMessage: (message: string) => void = () => {}): {
  pump: InboundPump<string>;
  decoder: WordDecoder;
  log: string[];
} {
  const log: string[] = [];
  const decoder = new WordDecoder();
  const pump = new InboundPump<string>(
    decoder,
    {
      received(message) {
        log.push(message);
        onMessage(message);
      },
      deserializerFailed: (thrown) => log.push(String(thrown)),
      waits: (waiting) => log.push(waiting ? 'waits' : 'goes on'),
    },
    1000,
  );
  return { pump, decoder, log };
}

describe('InboundPump', () => {
  it('delivers the same messages however their bytes are cut into pieces', () => {
    const bytes = Buffer.from('onetwosixten');
    for (let piece = 1; piece <= bytes.length; piece++) {
      const { pump, log } = prepare();
      for (let at = 0; at < bytes.length; at += piece) pump.push(bytes.subarray(at, at + piece));
      expect(log).toEqual(['one', 'two', 'six', 'ten']);
      expect(pump.inMidMessage).toBe(false);
    }
  });

  it('knows whether it is in the middle of a message', () => {
    const { pump } = prepare();
    expect(pump.inMidMessage).toBe(false);
    pump.push(Buffer.from('oneT'));
    expect(pump.inMidMessage).toBe(true);
    pump.push(Buffer.from('WO'));
    expect(pump.inMidMessage).toBe(false);
  });

  it('decodes nothing while the decoder waits, and everything when it goes on', () => {
    const { pump, decoder, log } = prepare();
    pump.push(Buffer.from('one...two'));
    pump.push(Buffer.from('six'));
    expect(log).toEqual(['one', 'waits']);
    expect(pump.waiting).toBe(true);

    decoder.waits = false;
    pump.decode();

    expect(log).toEqual(['one', 'waits', 'two', 'six', 'goes on']);
    expect(pump.waiting).toBe(false);
  });

  it('tells once that it waits, however often it is asked to go on', () => {
    const { pump, log } = prepare();
    pump.push(Buffer.from('...'));
    pump.decode();
    pump.decode();

    expect(log).toEqual(['waits']);
  });

  it('delivers nothing behind a failure once it is stopped', () => {
    const { pump, decoder, log } = prepare();
    pump.push(Buffer.from('one!!!two'));
    expect(log).toEqual(['one', 'Error: no word']);

    pump.stop();
    pump.push(Buffer.from('six'));
    pump.decode();
    pump.stop();

    expect(log).toEqual(['one', 'Error: no word']);
    expect(decoder.abandoned).toBe(1);
    expect(pump.inMidMessage).toBe(false);
  });

  it('may be stopped from within a message', () => {
    const { pump, log } = prepare(() => pump.stop());
    pump.push(Buffer.from('onetwo'));

    expect(log).toEqual(['one']);
  });

  it('may be given more from within a message', () => {
    let left = 3;
    const { pump, log } = prepare(() => {
      if (left-- > 0) pump.push(Buffer.from(`${left}ab`));
    });
    pump.push(Buffer.from('onetwoT'));
    pump.push(Buffer.from('EN'));

    expect(log.join('')).toBe('onetwoT2ab1ab0abEN');
  });

  it('may be given more from within a message that was all there was', () => {
    let left = 2;
    const { pump, log } = prepare(() => {
      if (left-- > 0) pump.push(Buffer.from(`${left}ab`));
    });
    pump.push(Buffer.from('one'));

    expect(log).toEqual(['one', '1ab', '0ab']);
  });
});

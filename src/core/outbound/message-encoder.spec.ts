// Prevents: serializers that are asked out of turn, leaked or destroyed twice; bytes lost where a
// piece does not fit into its chunk; a converter's mistake that takes more with it than its message.
import { describe, expect, it } from '@jest/globals';
import type { Parcel, Piece } from '../../../test/support/parcel-converter.js';
import {
  bytesOf,
  FramedParcelConverter,
  ParcelConverter,
} from '../../../test/support/parcel-converter.js';
import { ByteWriter } from '../bytes/byte-writer.js';
import { Connection } from '../connection.js';
import type { Converter, Serializer } from '../converter.js';
import { DONE, WAIT_FOR_CALLBACK } from '../converter.js';
import type { MessageEncoder } from './message-encoder.js';
import { createMessageEncoder } from './message-encoder.js';

const connection = new Connection({ id: 1, inbound: false, remote: undefined, local: undefined });
const parcel = (...pieces: Piece[]): Parcel => ({ id: 1, pieces });
const writerOf = (bytes: number): ByteWriter => new ByteWriter(Buffer.alloc(bytes));
const written = (writer: ByteWriter): Buffer => writer.buffer.subarray(0, writer.position);

/** An encoder for a converter, with what it reports. */
function encoderOf<T>(converter: Converter<T>): {
  encoder: MessageEncoder<T>;
  errors: Error[];
  ready: () => number;
} {
  const errors: Error[] = [];
  let ready = 0;
  const encoder = createMessageEncoder(
    converter,
    connection,
    () => ready++,
    (error) => errors.push(error),
  );
  return { encoder, errors, ready: () => ready };
}

/** A converter whose every message is serialized by what is given here. */
function converterOf(createSerializer: () => Serializer): Converter<string> {
  return {
    createSerializer,
    createDeserializer: () => ({ putBytes: (data) => [data, DONE], message: '' }),
  };
}

describe('the encoder of a framed converter', () => {
  it('writes a message whole, whatever the limit', () => {
    const { encoder } = encoderOf(new FramedParcelConverter());
    const message = parcel({ bytes: 100 });
    const writer = writerOf(10);
    expect(encoder.write(message, writer, 10)).toBe('ended');
    expect(written(writer)).toEqual(bytesOf([message]));
    expect(encoder.inMidMessage).toBe(false);
  });

  it('lets what encode throws pass', () => {
    const { encoder } = encoderOf(new FramedParcelConverter());
    expect(() => encoder.write(parcel({ throws: true }), writerOf(10), 10)).toThrow('Parcel 1');
  });
});

describe('the encoder of a plain converter', () => {
  it('writes the pieces one behind the other', () => {
    const { encoder } = encoderOf(new ParcelConverter());
    const message = parcel({ bytes: 3 }, { bytes: 5 }, { bytes: 1 });
    const writer = writerOf(100);
    expect(encoder.write(message, writer, 100)).toBe('ended');
    expect(written(writer)).toEqual(bytesOf([message]));
  });

  it('goes on in the next chunk with what did not fit, before it asks for more', () => {
    const converter = new ParcelConverter();
    const { encoder } = encoderOf(converter);
    const message = parcel({ bytes: 25 }, { bytes: 5 });
    const chunks: Buffer[] = [];
    for (let progress = 'full'; progress === 'full';) {
      const writer = writerOf(10);
      progress = encoder.write(message, writer, 10);
      expect(encoder.inMidMessage).toBe(progress === 'full');
      chunks.push(written(writer));
    }
    expect(chunks.map(({ length }) => length)).toEqual([10, 10, 10]);
    expect(Buffer.concat(chunks)).toEqual(bytesOf([message]));
    expect(converter.violations).toEqual([]);
  });

  it('needs one more chunk to learn that a message has ended with the chunk', () => {
    const { encoder } = encoderOf(new ParcelConverter());
    const message = parcel({ bytes: 10 }, { bytes: 1 });
    const first = writerOf(10);
    expect(encoder.write(message, first, 10)).toBe('full');
    const second = writerOf(10);
    expect(encoder.write(message, second, 10)).toBe('ended');
    expect(Buffer.concat([written(first), written(second)])).toEqual(bytesOf([message]));
  });

  it('waits for the callback, and asks nobody meanwhile', () => {
    const callbacks: (() => void)[] = [];
    const converter = new ParcelConverter({ later: (callback) => callbacks.push(callback) });
    const { encoder, ready } = encoderOf(converter);
    const message = parcel({ bytes: 2 }, { wait: 'later' }, { bytes: 2 });
    const writer = writerOf(10);
    expect(encoder.write(message, writer, 10)).toBe('waiting');
    expect(encoder.write(message, writer, 10)).toBe('waiting');
    expect(ready()).toBe(0);
    callbacks[0]?.();
    expect(ready()).toBe(1);
    expect(encoder.write(message, writer, 10)).toBe('ended');
    expect(written(writer)).toEqual(bytesOf([message]));
    expect(converter.violations).toEqual([]);
  });

  it('is not woken by the callback that an earlier message has kept', () => {
    const kept: (() => void)[] = [];
    let asked = 0;
    const { encoder, ready } = encoderOf(
      converterOf(() => ({
        getBytes: (callback) => {
          kept.push(callback);
          // The first message ends at once; the second waits.
          return asked++ === 0 ? Buffer.alloc(0) : WAIT_FOR_CALLBACK;
        },
      })),
    );
    expect(encoder.write('first', writerOf(10), 10)).toBe('ended');
    expect(encoder.write('second', writerOf(10), 10)).toBe('waiting');
    kept[0]?.();
    expect(ready()).toBe(0);
    kept[1]?.();
    expect(ready()).toBe(1);
  });

  it('destroys what it abandons, once, and forgets what that had left over', () => {
    let destroyed = 0;
    const converter = new ParcelConverter({ act: () => destroyed++ });
    const { encoder } = encoderOf(converter);
    encoder.write({ id: 1, pieces: [{ bytes: 25 }], onDestroy: 'count' }, writerOf(10), 10);
    encoder.abandon();
    encoder.abandon();
    expect(destroyed).toBe(1);
    expect(encoder.inMidMessage).toBe(false);
    const next: Parcel = { id: 2, pieces: [{ bytes: 3 }] };
    const writer = writerOf(10);
    expect(encoder.write(next, writer, 10)).toBe('ended');
    expect(written(writer)).toEqual(bytesOf([next]));
    expect(converter.violations).toEqual([]);
  });

  it('ignores the callback of an abandoned message', () => {
    const callbacks: (() => void)[] = [];
    const converter = new ParcelConverter({ later: (callback) => callbacks.push(callback) });
    const { encoder, ready } = encoderOf(converter);
    encoder.write(parcel({ wait: 'later' }), writerOf(10), 10);
    encoder.abandon();
    callbacks[0]?.();
    expect(ready()).toBe(0);
  });

  it('destroys a serializer whose creation has abandoned it, and asks it for nothing', () => {
    const { encoder, converter } = selfAbandoning();
    const writer = writerOf(10);
    expect(encoder.write({ id: 1, pieces: [{ bytes: 3 }], onCreate: 'abandon' }, writer, 10)).toBe(
      'waiting',
    );
    expect(writer.position).toBe(0);
    expect([...converter.living]).toEqual([]);
    expect(converter.violations).toEqual([]);
    expect(encoder.inMidMessage).toBe(false);
  });

  it('takes no bytes from a serializer that was abandoned from within getBytes', () => {
    const { encoder, converter } = selfAbandoning();
    const writer = writerOf(10);
    expect(encoder.write(parcel({ acts: 'abandon' }, { bytes: 3 }), writer, 10)).toBe('waiting');
    expect(writer.position).toBe(0);
    expect([...converter.living]).toEqual([]);
  });

  it('reports what destroy throws', () => {
    const { encoder, errors } = encoderOf(
      converterOf(() => ({
        getBytes: () => WAIT_FOR_CALLBACK,
        destroy: () => {
          throw new Error('cannot be destroyed');
        },
      })),
    );
    encoder.write('', writerOf(10), 10);
    encoder.abandon();
    expect(errors.map(({ message }) => message)).toEqual(['cannot be destroyed']);
  });

  it.each<unknown>([undefined, null, 'text', [1, 2], Symbol.for('nestjs-pike.DONE')])(
    'refuses %p as bytes',
    (answer) => {
      const { encoder } = encoderOf(converterOf(() => ({ getBytes: () => answer as Uint8Array })));
      expect(() => encoder.write('', writerOf(10), 10)).toThrow(
        expect.objectContaining({ code: 'PIKE_ERR_SERIALIZER' }),
      );
    },
  );
});

/** An encoder that is abandoned by its own converter, as a disconnecting one does. */
function selfAbandoning(): {
  encoder: MessageEncoder<Parcel>;
  converter: ParcelConverter;
} {
  const converter = new ParcelConverter({ act: () => encoder.abandon() });
  const { encoder } = encoderOf(converter);
  return { encoder, converter };
}

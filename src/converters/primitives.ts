import type { FramedConverter } from '../core/framed-converter.js';
import { BoolConverter } from './bool-converter.js';
import { FloatConverter } from './float-converter.js';
import { IntConverter } from './int-converter.js';
import { StringConverter } from './string-converter.js';

/**
 * Converters of the primitive types, byte for byte the wire format of the original Pike's
 * `Primitives` class, so that its peers, and other Python programs, can be spoken with.
 */
export const Primitives: {
  /** `boolean` as `True` or `False`, with nothing between one and the next. */
  readonly BOOL_CONVERTER: FramedConverter<boolean>;
  /**
   * An integer in decimal and one space. Python's integers have no bounds: safe ones are received
   * as `number`, others as `bigint`; both can be sent.
   */
  readonly INT_CONVERTER: FramedConverter<number | bigint>;
  /** A `number` as Python's `repr` writes a float (`1.0`, `1e-05`, `inf`) and one space. */
  readonly FLOAT_CONVERTER: FramedConverter<number>;
  /** A `string` as its length in UTF-8 bytes, in decimal, one space, and the bytes. */
  readonly STRING_CONVERTER: FramedConverter<string>;
} = Object.freeze({
  BOOL_CONVERTER: new BoolConverter(),
  INT_CONVERTER: new IntConverter(),
  FLOAT_CONVERTER: new FloatConverter(),
  STRING_CONVERTER: new StringConverter(),
});

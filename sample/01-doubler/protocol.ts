import { rawMessages } from 'nestjs-pike';
import { Primitives } from 'nestjs-pike/converters';

/**
 * The wire protocol of the original doubler: each message is a number in decimal and one space
 * (`21.0 `), each is answered by one message, in order. Both sides use it.
 */
export const DOUBLER_PROTOCOL = {
  converter: Primitives.FLOAT_CONVERTER,
  ...rawMessages<number>('double', { reply: true }),
};

/** Where the server listens unless told otherwise. */
export const DOUBLER_PORT = 4321;

import { rawMessages } from 'nestjs-pike';
import { LineConverter } from 'nestjs-pike/converters';

/**
 * The wire protocol: lines of UTF-8 text, both ways. No line is the reply to another; each that
 * arrives goes to the handler of `line`. Both sides use it.
 */
export const CHAT_PROTOCOL = {
  converter: new LineConverter(),
  ...rawMessages<string>('line', { reply: false }),
};

/** The longest line that a member may send, in bytes, its end included. */
export const LONGEST_LINE = 2_048;

/** Where the server listens unless told otherwise. */
export const CHAT_PORT = 4322;

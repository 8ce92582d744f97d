// Prevents: a caller who is told nothing of whether its request was begun, or is told so in the words
// of somebody else whom its server has asked.
import { describe, expect, it } from '@jest/globals';
import { isPikeError } from '../../core/errors.js';
import { INTERRUPTED, OVERLOADED, SHUTTING_DOWN } from '../handling/refusals.js';
import { errorOf, hasError } from './reply-failure.js';

describe('a reply of a server that has not begun, or not finished, a request', () => {
  it.each([
    ['PIKE_ERR_SHUTTING_DOWN', 'unsent', SHUTTING_DOWN],
    ['PIKE_ERR_OVERLOADED', 'unsent', OVERLOADED],
    ['PIKE_ERR_INTERRUPTED', 'in-doubt', INTERRUPTED],
  ])('fails it with %s, %s', (code, delivery, reply) => {
    const error = errorOf(reply);

    expect(isPikeError(error)).toBe(true);
    expect(error).toMatchObject({ code, delivery, message: (reply.err as Error).message });
    expect((error as Error).cause).toBe(reply.err);
  });

  it.each<[string, unknown]>([
    ['in words', 'BUSY'],
    ['with a code of its own', { code: 'BUSY' }],
    ['with a code that means something else', { code: 'PIKE_ERR_INTERRUPTED' }],
    ['with a code that every object has', { code: 'constructor' }],
    ['with a message that is none', { message: 1 }],
    ['with nothing', null],
  ])('fails it as refused, should it say so %s', (_, err) => {
    expect(errorOf({ err, status: 'refused' })).toMatchObject({
      code: 'PIKE_ERR_REFUSED',
      delivery: 'unsent',
      message: 'The peer has not begun this request.',
      cause: err,
    });
  });

  it.each(['refused', 'interrupted'])(
    'has failed it, %s, even if it does not say why',
    (status) => {
      expect(hasError({ status })).toBe(true);
    },
  );
});

describe('a reply that its handler has given', () => {
  it.each(['error', 'toString', '__proto__', 'Refused', 1, {}, undefined])(
    'fails with what that says, its status being %p',
    (status) => {
      const err = { code: 'PIKE_ERR_OVERLOADED', message: 'passed on by a handler' };

      expect(errorOf({ err, status: status as string })).toBe(err);
      expect(hasError({ status: status as string })).toBe(false);
    },
  );
});

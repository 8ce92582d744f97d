// Prevents: an option of a server or client is taken from the wrong place, or a token is passed on as if it
// were the converter itself.
import { describe, expect, it } from '@jest/globals';
import { completeOptions, withoutTokens } from './injected-options.js';
import type { OptionSource, PikeToken } from './injected-options.js';

interface Options {
  converter?: object;
  serializer?: object;
  path?: string;
}

class MadeByNest {}
abstract class Abstract {}
const TOKEN = Symbol('token');
const instance = { made: 'by hand' };

const source = (shared: object = {}): OptionSource => ({
  shared,
  resolve: (token: PikeToken<unknown>) => {
    if (token === 'unknown') throw new Error('Nest could not find unknown element');
    return { resolved: token };
  },
});

const complete = (options: object, from?: OptionSource) =>
  completeOptions<Options>('PikeServer', options, from);

describe('options from an application', () => {
  it.each([MadeByNest, Abstract, 'a name', TOKEN])('resolves the token %p', (token) => {
    expect(complete({ converter: token }, source())).toEqual({ converter: { resolved: token } });
  });

  it('leaves instances, and texts that are no tokens, as they are', () => {
    const options = { converter: instance, path: '/run/pike.sock' };
    expect(complete(options, source())).toEqual(options);
    expect(complete(options)).toEqual(options);
  });

  it('shares what is not given in place, tokens included', () => {
    const shared = source({ converter: TOKEN, serializer: instance });
    expect(complete({ converter: undefined, path: 'p' }, shared)).toEqual({
      converter: { resolved: TOKEN },
      serializer: instance,
      path: 'p',
    });
    expect(complete({ converter: instance }, shared).converter).toBe(instance);
  });

  it.each([
    [undefined, MadeByNest, /PikeServer: option "converter".*MadeByNest.*PikeModule/],
    [source(), 'unknown', /"converter".*unknown.*could not find.*providers/],
  ])('names the option and the token that cannot be resolved', (from, converter, message) => {
    expect(() => complete({ converter }, from)).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_NOT_INJECTED',
        message: expect.stringMatching(message),
      }),
    );
  });

  it('can be checked without the tokens', () => {
    expect(
      withoutTokens<Options>({ converter: MadeByNest, serializer: 'name', path: 'p' }),
    ).toEqual({ path: 'p' });
    expect(withoutTokens<Options>({ converter: instance })).toEqual({ converter: instance });
  });
});

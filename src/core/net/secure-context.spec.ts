// Prevents: an exchange of certificates that has no effect, or that takes away what it was not to touch.
import { createSecureContext } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import type { NetTlsOptions } from './net-options.js';
import { exchange } from './secure-context.js';

describe('an exchange', () => {
  it('puts what is given in the place of what was, and leaves the rest', () => {
    const options = { key: 'old', cert: 'old', ca: 'old', requestCert: true };
    expect(exchange(options, { key: 'new', cert: 'new' })).toEqual({
      key: 'new',
      cert: 'new',
      ca: 'old',
      requestCert: true,
    });
    expect(options.key).toBe('old');
  });

  it('leaves what is undefined: without ca, every public authority would be trusted', () => {
    expect(exchange({ ca: 'old' }, { ca: undefined })).toEqual({ ca: 'old' });
  });

  it('puts key and cert in the place of pfx, and the other way round', () => {
    expect(exchange({ pfx: 'old' }, { key: 'new', cert: 'new' })).toEqual({
      key: 'new',
      cert: 'new',
    });
    expect(exchange({ key: 'old', cert: 'old', ca: 'old' }, { pfx: 'new' })).toEqual({
      pfx: 'new',
      ca: 'old',
    });
  });

  it('puts options in the place of a context that was made before', () => {
    const options: NetTlsOptions = {
      secureContext: createSecureContext(),
      servername: 'localhost',
    };
    expect(exchange(options, { ca: 'new' })).toEqual({ ca: 'new', servername: 'localhost' });
    expect(exchange(options, {})).toEqual(options);
  });
});

// Prevents: a typed address that leads elsewhere than it says.
import { describe, expect, it } from '@jest/globals';
import { parseAddress } from './address.js';

describe('an address', () => {
  it.each([
    ['127.0.0.1:4000', { host: '127.0.0.1', port: 4000 }, false],
    ['tcp://app.example.com:1', { host: 'app.example.com', port: 1 }, false],
    ['tls://app.example.com:65535/', { host: 'app.example.com', port: 65_535 }, true],
    ['[::1]:4000', { host: '::1', port: 4000 }, false],
    ['tls://[::1]:4000', { host: '::1', port: 4000 }, true],
    ['unix:/run/app.sock', { path: '/run/app.sock' }, false],
    ['unix:///run/app.sock', { path: '/run/app.sock' }, false],
    ['unix:app.sock', { path: 'app.sock' }, false],
  ])('may be %s', (text, endpoint, secure) => {
    expect(parseAddress(text, 1)).toEqual({ endpoint, secure });
  });

  it.each([
    '',
    '4000',
    ':4000',
    'host',
    'host:',
    'host:0',
    'host:65536',
    'host:4000x',
    '::1:4000',
    'http://host:80',
    'unix:',
  ])('is not %p', (text) => {
    expect(() => parseAddress(text, 1)).toThrow(`"${text}" is no address. Write host:port, `);
  });

  it('may ask for a free port where one listens', () => {
    expect(parseAddress('127.0.0.1:0', 0)).toEqual({
      endpoint: { host: '127.0.0.1', port: 0 },
      secure: false,
    });
  });
});

/*
 * Prevents: an attempt to connect to nowhere that fails late and obscurely, and addresses in
 * messages that nobody can read back.
 */
import { describe, expect, it } from '@jest/globals';
import type { Endpoint } from './endpoint.js';
import { checkEndpoint, isPort, showEndpoint } from './endpoint.js';

describe('checkEndpoint', () => {
  it.each<Endpoint>([
    { host: '127.0.0.1', port: 1 },
    { host: '::1', port: 65_535 },
    { host: 'example.org', port: 80 },
    { path: '/run/app.sock' },
  ])('takes %j', (endpoint) => {
    expect(checkEndpoint(endpoint)).toEqual(endpoint);
  });

  it('keeps nothing but what makes the endpoint', () => {
    const endpoint = { host: '127.0.0.1', port: 1, family: 4 };

    expect(checkEndpoint(endpoint)).toEqual({ host: '127.0.0.1', port: 1 });
  });

  it.each<unknown>([
    undefined,
    null,
    {},
    'localhost:80',
    { host: 'localhost' },
    { port: 80 },
    { host: '', port: 80 },
    { host: 5, port: 80 },
    { host: 'localhost', port: 0 },
    { host: 'localhost', port: -1 },
    { host: 'localhost', port: 65_536 },
    { host: 'localhost', port: 80.5 },
    { host: 'localhost', port: '80' },
    { host: 'localhost', port: Number.NaN },
    { path: '' },
    { path: 5 },
    { path: '/run/app.sock', port: 80 },
    { path: '/run/app.sock', host: 'localhost', port: '80' },
    { path: 1n },
  ])('throws for %p', (endpoint) => {
    expect(() => checkEndpoint(endpoint as Endpoint)).toThrow(
      expect.objectContaining({ code: 'PIKE_ERR_INVALID_ENDPOINT' }),
    );
  });
});

describe('showEndpoint', () => {
  it('writes an endpoint as people do', () => {
    expect(showEndpoint({ host: '127.0.0.1', port: 4000 })).toBe('127.0.0.1:4000');
    expect(showEndpoint({ host: '::1', port: 4000 })).toBe('[::1]:4000');
    expect(showEndpoint({ path: '/run/app.sock' })).toBe('/run/app.sock');
  });
});

describe('isPort', () => {
  it('takes 0 only where one listens', () => {
    expect(isPort(0, 0)).toBe(true);
    expect(isPort(0, 1)).toBe(false);
    expect(isPort('80', 0)).toBe(false);
  });
});

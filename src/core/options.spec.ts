/*
 * Prevents: a misspelt option that is silently ignored, and a limit out of range that turns into
 * none at all.
 */
import { describe, expect, it } from '@jest/globals';
import { FramedConverter } from './framed-converter.js';
import { NetConnector } from './net/net-connector.js';
import type { NetConnectorOptions } from './net/net-options.js';
import type { ConnectorLimits, ConnectorOptions } from './options.js';
import { LIMITS, MOST_MS, readConnectorOptions } from './options.js';

class Bytes extends FramedConverter<Buffer> {
  encode(): void {}
  decode(): undefined {}
}

const converter = new Bytes();
const NAMES = Object.keys(LIMITS) as (keyof ConnectorLimits)[];

function read(options: unknown): ReturnType<typeof readConnectorOptions<Buffer>> {
  return readConnectorOptions('TestConnector', options as ConnectorOptions<Buffer>, ['own']);
}

function wrong(name: string, problem = ''): unknown {
  return expect.objectContaining({
    code: 'PIKE_ERR_INVALID_OPTION',
    message: expect.stringMatching(new RegExp(`^TestConnector: option "${name}" .*${problem}`)),
  });
}

describe('readConnectorOptions', () => {
  it('fills in every default', () => {
    const defaults = Object.fromEntries(NAMES.map((name) => [name, LIMITS[name].default]));

    expect(read({ converter })).toEqual({
      ...defaults,
      converter,
      allowHalfOpen: false,
      onError: undefined,
    });
  });

  it('has defaults within their own ranges', () => {
    for (const name of NAMES) {
      const { default: value, lowest, highest = Number.MAX_SAFE_INTEGER } = LIMITS[name];
      expect(value).toBeGreaterThanOrEqual(lowest);
      expect(value).toBeLessThanOrEqual(highest);
    }
  });

  it('keeps what is given', () => {
    const onError = (): void => {};
    const given = { converter, allowHalfOpen: true, onError, maxMessageBytes: 5, acceptTimeout: 7 };

    expect(read(given)).toMatchObject(given);
  });

  it('takes undefined as not given, and an own option of its owner', () => {
    expect(
      read({ converter, maxMessageBytes: undefined, onError: undefined, own: 1 }),
    ).toMatchObject({ maxMessageBytes: LIMITS.maxMessageBytes.default });
  });

  it.each(NAMES)('refuses a value of %s that is out of range or no whole number', (name) => {
    const { lowest, highest = Number.MAX_SAFE_INTEGER, unit } = LIMITS[name];
    for (const value of [
      lowest - 1,
      highest + 1,
      lowest + 0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '100',
      1n,
      {},
    ]) {
      expect(() => read({ converter, [name]: value })).toThrow(wrong(name, unit));
    }
    // A mark is compared with the other one, too.
    const both = { highWaterMark: highest };
    expect(read({ converter, ...both, [name]: lowest })[name]).toBe(lowest);
    expect(read({ converter, ...both, [name]: highest })[name]).toBe(highest);
  });

  it('bounds every duration by what a timer can wait', () => {
    const durations = NAMES.filter((name) => LIMITS[name].unit === 'ms');

    expect(durations.length).toBeGreaterThan(0);
    for (const name of durations) expect(LIMITS[name].highest).toBe(MOST_MS);
  });

  it('refuses an unknown option, and says which are known', () => {
    expect(() => read({ converter, maxMesageBytes: 5 })).toThrow(
      wrong('maxMesageBytes', 'is unknown.*maxMessageBytes'),
    );
  });

  it.each<[string, unknown]>([
    ['no converter', {}],
    ['nothing', { converter: undefined }],
    ['a class', { converter: Bytes }],
    ['half a converter', { converter: { createSerializer() {} } }],
    ['the other half', { converter: { createDeserializer() {} } }],
    ['a text', { converter: 'json' }],
    ['null', { converter: null }],
  ])('requires a converter, and %s is none', (_, options) => {
    expect(() => read(options)).toThrow(wrong('converter', 'is required'));
  });

  it('refuses values of another type', () => {
    expect(() => read({ converter, allowHalfOpen: 'yes' })).toThrow(
      wrong('allowHalfOpen', 'must be a boolean; got string'),
    );
    expect(() => read({ converter, onError: null })).toThrow(
      wrong('onError', 'must be a function; got null'),
    );
    for (const options of [undefined, null, 5, 'options']) {
      expect(() => read(options)).toThrow(wrong('options', 'must be an object'));
    }
  });

  it('refuses a low-water mark above the high one, and follows a lower high one by itself', () => {
    expect(() => read({ converter, highWaterMark: 10, lowWaterMark: 11 })).toThrow(
      wrong('lowWaterMark', 'must not exceed highWaterMark'),
    );
    expect(read({ converter, highWaterMark: 10 }).lowWaterMark).toBe(2);
    expect(read({ converter, highWaterMark: 10, lowWaterMark: 10 }).lowWaterMark).toBe(10);
  });
});

describe('the options of NetConnector', () => {
  it.each<[string, unknown]>([
    ['port', { port: 65_536 }],
    ['port', { port: -1 }],
    ['port', { port: '80' }],
    ['path', { path: 5 }],
    ['path', { path: '' }],
    ['path', { path: '/run/app.sock', port: 80 }],
    ['host', { host: 'localhost' }],
    ['host', { host: 5, port: 80 }],
    ['backlog', { port: 80, backlog: -1 }],
    ['backlog', { port: 80, backlog: 1.5 }],
    ['keepAliveDelay', { keepAliveDelay: '5' }],
    ['keepAliveDelay', { keepAliveDelay: -1 }],
    ['noDelay', { noDelay: 1 }],
    ['prot', { prot: 80 }],
    ['maxMessageBytes', { maxMessageBytes: 0 }],
    ['options', null],
  ])('name the one that is wrong: %s in %j', (name, options) => {
    const create = (): unknown =>
      new NetConnector(
        (options === null
          ? options
          : { converter, ...(options as object) }) as NetConnectorOptions<Buffer>,
      );

    expect(create).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_INVALID_OPTION',
        message: expect.stringMatching(new RegExp(`^NetConnector: option "${name}" `)),
      }),
    );
  });

  it('may all be given', () => {
    const options = { host: '::', port: 0, backlog: 5, noDelay: false, keepAliveDelay: 0 };

    expect(() => new NetConnector({ converter, ...options })).not.toThrow();
  });
});

/*
 * Prevents: a code that nothing raises, one that is not documented, and documentation that says
 * something else than the code.
 */
import { describe, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { PIKE_ERRORS, PikeError, describeThrown, isPikeError, toError } from './errors.js';

const CODES = Object.keys(PIKE_ERRORS);
const SOURCE = join(process.cwd(), 'src');

/** The rows of the tables of docs/errors.md: code, meaning, what to do. */
function documented(): { code: string; meaning: string; advice: string }[] {
  const page = readFileSync(join(process.cwd(), 'docs', 'errors.md'), 'utf8');
  return [...page.matchAll(/^\| `(\w+)` *\| (.+?) *\| (.+?) *\|$/gm)].map(
    ([, code = '', meaning = '', advice = '']) => ({ code, meaning, advice }),
  );
}

/** Every code that is written as a string somewhere in the source, except in the table itself. */
function usedInSource(): Set<string> {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
    .filter((name) => name !== join('core', 'errors.ts'));
  return new Set(
    files.flatMap((name) =>
      [...readFileSync(join(SOURCE, name), 'utf8').matchAll(/'(PIKE_ERR_\w+)'/g)].map(
        ([, code = '']) => code,
      ),
    ),
  );
}

describe('the table of error codes', () => {
  it('has no code that nothing in the source uses', () => {
    const used = usedInSource();

    expect(CODES.filter((code) => !used.has(code))).toEqual([]);
  });

  it('is documented, in the same order and words', () => {
    const meanings = documented()
      .filter(({ code }) => code in PIKE_ERRORS)
      .map(({ code, meaning }) => [code, meaning]);

    expect(meanings).toEqual(Object.entries(PIKE_ERRORS));
  });
});

describe('docs/errors.md', () => {
  it('has every code that the source uses', () => {
    const known = new Set(documented().map(({ code }) => code));

    expect([...usedInSource()].filter((code) => !known.has(code))).toEqual([]);
  });

  it('has no code twice, and says of each what to do', () => {
    const rows = documented();

    expect(new Set(rows.map(({ code }) => code)).size).toBe(rows.length);
    expect(rows.filter(({ advice }) => advice.length < 20)).toEqual([]);
  });
});

describe('PikeError', () => {
  it('carries its code and its cause, and is an error', () => {
    const cause = new Error('underneath');
    const error = new PikeError('PIKE_ERR_DEADLINE', 'Too slow.', { cause });

    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'PikeError',
      code: 'PIKE_ERR_DEADLINE',
      message: 'Too slow.',
      cause,
    });
    expect(String(error)).toBe('PikeError: Too slow.');
  });
});

describe('isPikeError', () => {
  it('goes by the brand, so that it knows those of another copy of the package', () => {
    const foreign = Object.assign(new Error('x'), { [Symbol.for('nestjs-pike.PikeError')]: true });

    expect(isPikeError(new PikeError('PIKE_ERR_DEADLINE', 'x'))).toBe(true);
    expect(isPikeError(foreign)).toBe(true);
    for (const other of [new Error('x'), { code: 'PIKE_ERR_DEADLINE' }, null, undefined, 'x', 1]) {
      expect(isPikeError(other)).toBe(false);
    }
  });
});

describe('toError', () => {
  it('keeps an error as it is, also one of another realm', () => {
    const error = new TypeError('x');
    const foreign: unknown = runInContext('new RangeError("y")', createContext());

    expect(toError(error)).toBe(error);
    expect(toError(foreign)).toBe(foreign);
  });

  it.each<[unknown, string]>([
    ['a text', 'a text'],
    [undefined, 'undefined'],
    [Symbol('s'), 'Symbol(s)'],
    [Object.create(null), '[object Object]'],
  ])('makes an error that shows %p', (value, shown) => {
    const error = toError(value);

    expect(error.message).toContain(shown);
    expect(error.cause).toBe(value);
  });
});

describe('describeThrown', () => {
  it('says what happened, even where Node gives only a code', () => {
    expect(describeThrown(new Error('plain'))).toBe('plain');
    expect(describeThrown(Object.assign(new Error(''), { code: 'ECONNREFUSED' }))).toBe(
      'ECONNREFUSED',
    );
    expect(describeThrown(new RangeError(''))).toBe('RangeError');
  });
});

// Prevents: a name from a peer that means another file than it seems to, here or on another system.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { basename, join, posix, win32 } from 'node:path';
import { isPartName, markedName, nameProblem, partName, randomMark } from './file-name.js';

const ALLOWED = [
  'a',
  'report.pdf',
  'Größe \u{1F600}.txt',
  '\u65e5\u672c\u8a9e.tar.gz',
  'e\u0301 as macOS writes it.txt',
  'two  spaces',
  '-rf',
  '~',
  'console',
  'com10.log',
  'nulls',
  'a.b.c',
  '12\uff1a30 with a wide colon',
  'x'.repeat(255),
  'é'.repeat(127),
];

const REFUSED: Record<string, string[]> = {
  'leaves the directory': [
    '..',
    '../a',
    'a/../b',
    '..\\a',
    '/etc/passwd',
    'a/b',
    '\\\\host\\share',
  ],
  'is no name at all': ['', '.', ' ', '\u3000'],
  'is for Windows something else': [
    'C:',
    'C:a',
    'a:stream',
    'a?',
    'a*',
    'a<b',
    'a|b',
    '"a"',
    'a.',
    'a ',
  ],
  'is a device': [
    'CON',
    'con',
    'Aux.txt',
    'nul.tar.gz',
    'COM1',
    'lpt9.x',
    'com\u00b9',
    'CONIN$',
    'prn .txt',
  ],
  'is hidden': ['.bashrc', '.', '...', '..a'],
  'is cut short by a NUL': ['a\0', 'a\0.txt', '\0'],
  'changes how it is shown': [
    'a\u202egpj.exe',
    'a\u2066b',
    'a\u200bb',
    '\ufeffa',
    'a\u00adb',
    'a\u2028b',
  ],
  'has control characters': ['a\nb', 'a\rb', 'a\tb', 'a\u001b[2Jb', 'a\u0085b', 'a\u007f'],
  'stands for one that is refused': [
    'a\uff0fb',
    'a\uff3cb',
    '\u2025',
    '\uff0ebashrc',
    'a\u2024',
    '\uff23on',
    '\u2100',
  ],
  'cannot be written in UTF-8': ['a\ud800b', '\udc00'],
  'is too long': ['x'.repeat(256), 'é'.repeat(128), '\u{1F600}'.repeat(64)],
};

describe('a file name', () => {
  it.each(ALLOWED)('is allowed: %j', (name) => {
    expect(nameProblem(name)).toBeUndefined();
  });

  it.each(Object.entries(REFUSED))('is refused that %s', (_what, names) => {
    for (const name of names) expect([name, nameProblem(name)]).toEqual([name, expect.any(String)]);
  });

  it('that is allowed stays within its directory, on every system', () => {
    const unit = fc.constantFrom(...'ab./\\:~ \0\u2025\uff0f\u2024CON1'.split(''));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit })), (name) => {
        if (nameProblem(name) !== undefined) return;
        for (const path of [posix, win32]) {
          const directory = path.resolve('/in/box');
          expect(path.dirname(path.resolve(directory, name))).toBe(directory);
          expect(path.basename(path.join(directory, name))).toBe(name);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the names that are made of it', () => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 300 })
    .filter((some) => nameProblem(some) === undefined);

  it('fit, are told apart by their mark, and stay in the directory', () => {
    fc.assert(
      fc.property(fc.oneof(name, fc.constantFrom(...ALLOWED)), (some) => {
        for (const made of [partName(some, 'cafe'), markedName(some, 'cafe')]) {
          expect(Buffer.byteLength(made)).toBeLessThanOrEqual(255);
          expect(made).toContain('cafe');
          expect(basename(join('box', made))).toBe(made);
          expect(Buffer.from(made).toString()).toBe(made);
        }
      }),
    );
  });

  it.each([
    ['report.txt', 'report-1f.txt'],
    ['archive.tar.gz', 'archive.tar-1f.gz'],
    ['README', 'README-1f'],
    [`a.${'x'.repeat(200)}`, `a.${'x'.repeat(200)}-1f`],
    ['x'.repeat(255), `${'x'.repeat(252)}-1f`],
    [`${'é'.repeat(125)}.txt`, `${'é'.repeat(124)}-1f.txt`],
  ])('keep the extension: %s', (some, marked) => {
    expect(markedName(some, '1f')).toBe(marked);
  });

  it('say what is not whole yet', () => {
    expect(partName('report.txt', '1f')).toBe('.report.txt.1f.part');
  });

  it('are known for parts, as no name that a peer may give is', () => {
    fc.assert(
      fc.property(fc.oneof(name, fc.constantFrom(...ALLOWED)), (some) => {
        const mark = randomMark();
        const part = partName(some, mark);
        expect([part, markedName(some, mark), some].map(isPartName)).toEqual([true, false, false]);
        expect(nameProblem(part)).toBe('begins with a dot');
      }),
    );
    const others = [
      'a.0123456789ab.part',
      '.a.0123456789ab.partial',
      '.a.part',
      '.0123456789ab.part',
    ];
    expect(others.map(isPartName)).toEqual([false, false, false, false]);
  });
});

// Prevents: more handlers running for one peer than may, an order other than that of arrival, a peer
// held back for ever, or one that is not held back although nothing of it is taken.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Admission } from './admission.js';
import type { Applicant } from './admission.js';
import { nextTurn } from './turn.js';

const MIB = 1_048_576;

let allowance: number;
let begun: string[];
let calls: string[];
let makeRoom: () => void;
beforeEach(() => {
  allowance = Number.POSITIVE_INFINITY;
  begun = [];
  calls = [];
  makeRoom = () => undefined;
});

const admissionOf = (most: number): Admission =>
  new Admission(most, {
    get allowance() {
      return allowance;
    },
    room: () => new Promise((resolve) => (makeRoom = resolve)),
    holdBack: () => calls.push('hold back'),
    goOn: () => calls.push('go on'),
  });

const request = (name: string, bytes = 10): Applicant => ({
  bytes,
  answered: true,
  admitted: () => begun.push(name),
});
const event = (name: string, bytes = 10): Applicant => ({
  ...request(name, bytes),
  answered: false,
});

/** What has come begins, or waits. */
function come(admission: Admission, ...applicants: Applicant[]): void {
  for (const applicant of applicants) {
    if (admission.tryBegin(applicant.answered)) applicant.admitted();
    else admission.hold(applicant);
  }
}

describe('what a peer asks', () => {
  it('begins at once as long as fewer are in flight than may', () => {
    come(admissionOf(3), request('a'), event('b'), request('c'));
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('waits beyond, and begins in the order of arrival, whatever it is', () => {
    const admission = admissionOf(2);
    come(admission, request('a'), event('b'), event('c'), request('d'), event('e'));
    expect(begun).toEqual(['a', 'b']);

    for (const expected of ['c', 'd', 'e']) {
      admission.ended();
      expect(begun.at(-1)).toBe(expected);
    }
  });

  it('does not overtake what waits, though there would be a place', () => {
    const admission = admissionOf(10);
    allowance = 0;
    come(admission, request('a'), event('b'));
    expect(begun).toEqual([]);

    allowance = 5;
    come(admission, request('c'));

    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('that is over at once lets the next begin, however many there are', () => {
    const admission = admissionOf(1);
    come(admission, request('first'));
    const overAtOnce: Applicant = {
      bytes: 0,
      answered: false,
      admitted: () => {
        begun.push('over');
        admission.ended();
      },
    };
    for (let i = 0; i < 100_000; i++) admission.hold(overAtOnce);

    admission.ended();

    expect(begun).toHaveLength(100_001);
  });

  it('that is withdrawn while it waits does not begin', () => {
    const admission = admissionOf(1);
    const [b, c] = [request('b'), request('c')];
    come(admission, request('a'), b, c);

    admission.withdraw(b);
    admission.withdraw(b);
    admission.ended();

    expect(begun).toEqual(['a', 'c']);
  });
});

describe('requests', () => {
  it('begin only where there is room for the reply; events need none', async () => {
    const admission = admissionOf(10);
    allowance = 0;
    come(admission, event('event'), request('request'));
    expect(begun).toEqual(['event']);

    allowance = 1;
    makeRoom();
    await nextTurn();
    await nextTurn();

    expect(begun).toEqual(['event', 'request']);
  });

  it('begin no more in a turn than there is room for', async () => {
    allowance = 2;
    const admission = admissionOf(100);
    come(admission, ...['a', 'b', 'c', 'd', 'e'].map((name) => request(name)));
    expect(begun).toEqual(['a', 'b']);
    await nextTurn();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    await nextTurn();
    expect(begun).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('begin no more than 128 in a turn, whatever room there is: what they give is not known yet', async () => {
    const admission = admissionOf(1_000);
    come(admission, ...Array.from({ length: 300 }, (_, index) => request(`${index}`)));
    expect(begun).toHaveLength(128);
    await nextTurn();
    expect(begun).toHaveLength(256);
  });
});

describe('a peer', () => {
  it('may have as many wait as may be in flight', () => {
    const admission = admissionOf(2);
    come(admission, request('a'), request('b'), request('c'));
    expect(admission.refuses).toBe(false);
    come(admission, request('d'));
    expect({ refuses: admission.refuses, calls }).toEqual({ refuses: true, calls: [] });
  });

  it('is held back by one more, once, until half of what may wait does', () => {
    const admission = admissionOf(4);
    for (let i = 0; i < 12; i++) come(admission, event(`${i}`));
    expect(calls).toEqual(['hold back']);

    // Eight wait.
    for (let ended = 1; ended <= 6; ended++) {
      expect(calls).toEqual(['hold back']);
      admission.ended();
    }

    expect(calls).toEqual(['hold back', 'go on']);
  });

  it('is held back again when there is too much again', () => {
    const admission = admissionOf(1);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 4; i++) come(admission, event('event'));
      for (let i = 0; i < 4; i++) admission.ended();
    }
    expect(calls).toEqual(['hold back', 'go on', 'hold back', 'go on', 'hold back', 'go on']);
  });

  it('may have four megabytes wait, and is held back until half of it does', () => {
    const admission = admissionOf(100);
    allowance = 0;
    for (let i = 0; i < 4; i++) come(admission, request(`${i}`, MIB));
    expect({ refuses: admission.refuses, calls }).toEqual({ refuses: true, calls: [] });
    const last = request('last', MIB);
    come(admission, last);
    expect({ refuses: admission.refuses, calls }).toEqual({ refuses: false, calls: ['hold back'] });
    admission.withdraw(last);
    expect(calls).toEqual(['hold back']);
  });

  it('is read again when what waited is withdrawn', () => {
    const admission = admissionOf(1);
    const waiting = [request('b'), request('c'), request('d')];
    come(admission, request('a'), ...waiting);
    expect(calls).toEqual(['hold back']);

    for (const each of waiting) admission.withdraw(each);

    expect(calls).toEqual(['hold back', 'go on']);
  });

  it('that must wait for the last in flight is held back and read in turn, even with one place', () => {
    const admission = admissionOf(1);
    come(admission, event('a'), event('b'), event('c'));
    expect(calls).toEqual(['hold back']);
    admission.ended();
    expect(calls).toEqual(['hold back']);
    admission.ended();
    expect({ begun, calls }).toEqual({ begun: ['a', 'b', 'c'], calls: ['hold back', 'go on'] });
  });
});

// Prevents: a field that is another one, since numbers, delimiters or escapes were read wrongly.
import { describe, expect, it } from '@jest/globals';
import { escapeHl7, Hl7Message } from './hl7-message.js';

const ADMISSION = [
  'MSH|^~\\&|HIS|CITY|PIKE||20260102030405||ADT^A01^ADT_A01|4711|P|2.5',
  'PID|1||12345^^^CITY~678||Doe^John^&sub&',
  'PV1|1|I|4W^12',
  'PV1|2|I|5W',
].join('\r');

describe('Hl7Message', () => {
  it.each<[string, [segment: string, field: number, component?: number]]>([
    ['|', ['MSH', 1]],
    ['HIS', ['MSH', 3]],
    ['A01', ['MSH', 9, 2]],
    ['4711', ['MSH', 10]],
    ['12345', ['PID', 3]],
    ['CITY', ['PID', 3, 4]],
    ['John', ['PID', 5, 2]],
    ['', ['PID', 5, 3]],
    ['', ['PID', 5, 9]],
    ['', ['PID', 99]],
    ['4W', ['PV1', 3]],
    ['', ['OBX', 5]],
  ])('finds %j at %j', (value, path) => {
    expect(Hl7Message.parse(ADMISSION).get(...path)).toBe(value);
  });

  it('has a type and a control id', () => {
    expect(Hl7Message.parse(ADMISSION)).toMatchObject({ type: 'ADT^A01', controlId: '4711' });
    expect(Hl7Message.parse('MSH|^~\\&|')).toMatchObject({ type: '^', controlId: '' });
  });

  it('goes by the delimiters of its own header', () => {
    const message = Hl7Message.parse('MSH#*~!%#HIS######ADT*A03#17!F!4\rPID###a^b*c|d\r');
    expect(message).toMatchObject({ type: 'ADT^A03', controlId: '17#4' });
    expect([message.get('PID', 3), message.get('PID', 3, 2)]).toEqual(['a^b', 'c|d']);
  });

  it.each([
    ['A \\T\\ B', 'A & B'],
    ['\\F\\\\S\\\\R\\\\E\\', '|^~\\'],
    ['one\\.br\\two', 'one\\.br\\two'],
    ['an end\\', 'an end\\'],
    ['an odd \\T', 'an odd \\T'],
  ])('unescapes %j', (field, text) => {
    expect(Hl7Message.parse(`MSH|^~\\&|${field}|`).get('MSH', 3)).toBe(text);
  });

  it.each(['', 'PID|1', 'MSH', 'MSH|', 'MSH|^~\\&', 'MSHA^~\\&A', ' MSH|^~\\&|', 'msh|^~\\&|'])(
    'is not made of %j',
    (text) => {
      expect(() => Hl7Message.parse(text)).toThrow('A message begins with MSH and its delimiters.');
    },
  );

  it.each(['a|b^c~d\\e&f', 'plain', '', '\\F\\'])('reads %j as it was escaped', (text) => {
    expect(Hl7Message.parse(`MSH|^~\\&|${escapeHl7(text)}|`).get('MSH', 3)).toBe(text);
  });

  it('has no line of its own, and no block, in what was escaped', () => {
    expect(escapeHl7('one\r\ntwo\x0bthree\x1c\r')).toBe('one two three ');
  });
});

import { Hl7Error } from './hl7-error.js';

/** What stands for a delimiter between two escape characters, in the order of the delimiters in MSH. */
const ESCAPES: readonly string[] = ['F', 'S', 'R', 'E', 'T'];

/** The delimiters of what we write: `|^~\&`. */
const OURS = '|^~\\&';

/**
 * An HL7 v2 message, as far as it is needed here: fields by segment and number. The delimiters are those that its
 * own header, MSH, declares.
 */
export class Hl7Message {
  readonly #segments: ReadonlyMap<string, readonly string[]>;
  /** Field, component, repetition, escape, subcomponent. */
  readonly #delimiters: string;

  private constructor(segments: ReadonlyMap<string, readonly string[]>, delimiters: string) {
    this.#segments = segments;
    this.#delimiters = delimiters;
  }

  /** @throws Hl7Error `AR` for a text that has no header */
  static parse(text: string): Hl7Message {
    const [, separator, others] = /^MSH([^\w\s])([^\w\s]{2,5})\1/.exec(text) ?? [];
    if (separator === undefined || others === undefined) {
      throw new Hl7Error('AR', 100, 'A message begins with MSH and its delimiters.');
    }
    const segments = new Map<string, readonly string[]>();
    // Lines should end with CR alone; some senders know better.
    for (const line of text.split(/[\r\n]+/)) {
      const fields = line.split(separator);
      const name = fields[0] as string;
      // MSH-1 is the delimiter itself.
      if (name === 'MSH') fields.splice(1, 0, separator);
      // Of a segment that comes several times, the first.
      if (name !== '' && !segments.has(name)) segments.set(name, fields);
    }
    return new Hl7Message(segments, separator + others);
  }

  /** The code and the trigger event of MSH-9, as `ADT^A01`. */
  get type(): string {
    return `${this.get('MSH', 9, 1)}^${this.get('MSH', 9, 2)}`;
  }

  /** MSH-10, by which the sender knows the acknowledgement. */
  get controlId(): string {
    return this.get('MSH', 10);
  }

  /**
   * A component of a field, unescaped: of its first repetition, and the first subcomponent. Empty if there is none.
   * @param component from 1; default: the first
   */
  get(segment: string, field: number, component = 1): string {
    const [, components = '', repetition = '', , subcomponent = ''] = this.#delimiters;
    const value = this.#segments.get(segment)?.[field] ?? '';
    const [first = ''] = splitBy(value, repetition);
    const [text = ''] = splitBy(splitBy(first, components)[component - 1] ?? '', subcomponent);
    return this.#unescape(text);
  }

  #unescape(text: string): string {
    const [, , , escape] = this.#delimiters;
    if (escape === undefined) return text;
    let plain = '';
    let at = 0;
    for (let begin = text.indexOf(escape); begin !== -1; begin = text.indexOf(escape, at)) {
      const letter = text[begin + 2] === escape ? (text[begin + 1] as string) : '';
      const delimiter = this.#delimiters[ESCAPES.indexOf(letter)];
      // What is no delimiter, such as highlighting, stays as it is.
      plain += text.slice(at, begin) + (delimiter ?? escape);
      at = begin + (delimiter === undefined ? 1 : 3);
    }
    return plain + text.slice(at);
  }
}

/** A text as it may stand in a field of ours. */
export function escapeHl7(text: string): string {
  return text
    .replaceAll(/\p{Cc}+/gu, ' ')
    .replaceAll(/[|^~\\&]/g, (delimiter) => `\\${ESCAPES[OURS.indexOf(delimiter)]}\\`);
}

function splitBy(text: string, delimiter: string): string[] {
  return delimiter === '' ? [text] : text.split(delimiter);
}

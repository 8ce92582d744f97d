import { usageError } from '../failure.js';

/** How the data of a message is typed on a command line, or lies in a file. */
export interface DataFormat {
  /** In a few words, for messages about it. */
  readonly description: string;
  /** What a text stands for. @throws CommandError `USAGE` */
  parse(text: string): unknown;
  /** What the content of a file stands for. @throws CommandError `USAGE` */
  parseFile(content: Buffer): unknown;
}

/** @param parse throws, or returns `undefined`, for what it does not take */
function textFormat(description: string, parse: (text: string) => unknown): DataFormat {
  const checked = (text: string): unknown => {
    let value: unknown;
    let problem: unknown;
    try {
      value = parse(text);
    } catch (thrown) {
      problem = thrown;
    }
    if (value !== undefined) return value;
    throw usageError(`The data must be ${description}; got: ${abbreviate(text)}`, problem);
  };
  // What editors and echo put at the end of a file is no part of the data.
  return {
    description,
    parse: checked,
    parseFile: (content) => checked(content.toString('utf8').replace(/\r?\n$/, '')),
  };
}

const MOST_SHOWN_CHARACTERS = 100;

function abbreviate(text: string): string {
  return text.length > MOST_SHOWN_CHARACTERS ? `${text.slice(0, MOST_SHOWN_CHARACTERS)}...` : text;
}

/** JSON. */
export const JSON_FORMAT = textFormat(
  'JSON, a text in double quotes ("...", in quotes of the shell: \'"..."\')',
  (text) => JSON.parse(text) as unknown,
);

/** A text, as it is. */
export const TEXT_FORMAT = textFormat('a text', (text) => text);

/** Whole numbers, of any length. */
export const INTEGER_FORMAT = textFormat('a whole number', (text) => {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text.replace('+', ''));
});

/** Numbers, those of Python that are none of JSON among them. */
export const FLOAT_FORMAT = textFormat('a number, or inf, -inf or nan', (text) => {
  const special = { inf: Infinity, '-inf': -Infinity, nan: NaN }[text];
  if (special !== undefined) return special;
  const number = Number(text);
  return text.trim() === '' || Number.isNaN(number) ? undefined : number;
});

/** Truth values. */
export const BOOLEAN_FORMAT = textFormat(
  'true or false',
  (text) => ({ true: true, false: false })[text.toLowerCase()],
);

/** The path of a file. */
export const PATH_FORMAT = textFormat('the path of a file', (path) => ({ path }));

const HEX = textFormat('bytes in hexadecimal digits, such as 0a1f or "0a 1f"', (text) => {
  const digits = text.replace(/\s/g, '');
  return /^(?:[\da-f]{2})*$/i.test(digits) ? Buffer.from(digits, 'hex') : undefined;
});

/** Bytes: typed in hexadecimal digits; the content of a file is what it is. */
export const BYTES_FORMAT: DataFormat = { ...HEX, parseFile: (content) => content };

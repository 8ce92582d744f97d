import { PikeError } from '../core/errors.js';
import { hasProtoKey, nestsDeeper } from './json-guard.js';

/** JSON as text, and what is refused in it: said at `jsonPayload`. Keeps no state. */
export class JsonText {
  readonly #maxDepth: number;

  /** @param maxDepth how deeply values may nest */
  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  /** @throws PikeError `PIKE_ERR_SERIALIZER` */
  stringify(message: unknown): string {
    const text = stringify(message);
    if (text.includes('"__proto__":') && hasProtoKey(text, parse(text))) {
      throw new PikeError('PIKE_ERR_SERIALIZER', 'A member named __proto__ cannot be sent.');
    }
    if (nestsDeeper(text, this.#maxDepth)) {
      throw new PikeError(
        'PIKE_ERR_SERIALIZER',
        `The message nests deeper than ${this.#maxDepth}. Raise maxDepth at both ends if needed.`,
      );
    }
    return text;
  }

  /** @throws PikeError `PIKE_ERR_MALFORMED` */
  parse(text: string): unknown {
    if (nestsDeeper(text, this.#maxDepth)) {
      throw new PikeError(
        'PIKE_ERR_MALFORMED',
        `A JSON value nests deeper than ${this.#maxDepth}. Raise maxDepth if that is expected.`,
      );
    }
    const value = parse(text);
    if (hasProtoKey(text, value)) {
      throw new PikeError('PIKE_ERR_MALFORMED', 'A JSON object has a member named __proto__.');
    }
    return value;
  }
}

function stringify(message: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(message);
  } catch (error) {
    throw new PikeError('PIKE_ERR_SERIALIZER', 'The message has no JSON form.', { cause: error });
  }
  if (text === undefined) {
    throw new PikeError(
      'PIKE_ERR_SERIALIZER',
      `JSON cannot express ${typeof message}: send null, or leave the member out.`,
    );
  }
  return text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PikeError('PIKE_ERR_MALFORMED', 'A message is not valid JSON.', { cause: error });
  }
}

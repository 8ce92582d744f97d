import type { Deserializer, Serializer } from './converter.js';
import { WAIT_FOR_CALLBACK } from './converter.js';
import { PikeError } from './errors.js';

/** The two codes for a converter that misbehaves. */
type Code = 'PIKE_ERR_SERIALIZER' | 'PIKE_ERR_DESERIALIZER';

/** The error for a converter whose method has answered what it must not. */
export function wrongAnswer(code: Code, must: string, answer: unknown): PikeError {
  return new PikeError(code, `${must}; it returned ${showAnswer(answer)}.`);
}

/** @throws PikeError unless `createSerializer` has answered a serializer */
export function checkSerializer(answer: Serializer): void {
  check('PIKE_ERR_SERIALIZER', 'createSerializer', 'Serializer', 'getBytes', answer);
}

/** @throws PikeError unless `getBytes` has answered what it may */
export function checkBytes(answer: unknown): Uint8Array | typeof WAIT_FOR_CALLBACK {
  if (answer instanceof Uint8Array || answer === WAIT_FOR_CALLBACK) return answer;
  throw wrongAnswer(
    'PIKE_ERR_SERIALIZER',
    'getBytes must return a Uint8Array or WAIT_FOR_CALLBACK',
    answer,
  );
}

/** @throws PikeError unless `createDeserializer` has answered a deserializer */
export function checkDeserializer(answer: Deserializer<unknown>): void {
  check('PIKE_ERR_DESERIALIZER', 'createDeserializer', 'Deserializer', 'putBytes', answer);
}

/** What a converter has answered, in a few words. */
export function showAnswer(answer: unknown): string {
  if (isPromise(answer)) {
    // It has failed already: what the promise brings comes too late, and nobody else listens to it.
    answer.catch(() => undefined);
    return (
      'a promise: it is not awaited. To wait, a serializer or deserializer answers WAIT_FOR_CALLBACK ' +
      'and calls the callback'
    );
  }
  if (typeof answer === 'symbol') return String(answer);
  if (answer === null) return 'null';
  if (typeof answer !== 'object') return typeof answer;
  return `an object (${Object.prototype.toString.call(answer).slice('[object '.length, -1)})`;
}

/** Whether a method has answered as an `async` one does. */
export function isPromise(answer: unknown): answer is Promise<unknown> {
  return answer instanceof Promise;
}

function check(code: Code, method: string, kind: string, required: string, answer: unknown): void {
  const methods = answer as Partial<Record<string, unknown>> | null | undefined;
  if (typeof methods?.[required] !== 'function') {
    throw wrongAnswer(code, `${method} must return a ${kind}, with a method ${required}`, answer);
  }
  if (methods.destroy !== undefined && typeof methods.destroy !== 'function') {
    throw new PikeError(code, `destroy of a ${kind} must be a method, if it has one.`);
  }
}

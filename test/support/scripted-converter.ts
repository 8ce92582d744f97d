import { DONE, WAIT_FOR_MORE } from 'nestjs-pike/core';
import type {
  Connection,
  Converter,
  Deserializer,
  Limits,
  PutBytesResult,
  Serializer,
} from 'nestjs-pike/core';

/** What a test may write itself; `putBytes` and `getBytes` may return any nonsense. */
export interface Script {
  putBytes?: (data: Buffer, callback: () => void) => unknown;
  message?: () => string;
  getBytes?: (message: string, callback: () => void) => unknown;
  createDeserializer?: (connection: Connection, limits: Limits) => void;
  destroyDeserializer?: () => void;
  destroySerializer?: () => void;
}

const EMPTY = Buffer.alloc(0);

/**
 * A converter of the plain kind (a serializer and a deserializer per message) whose every answer
 * can be scripted. What is not scripted speaks lines.
 */
export function scriptedConverter(script: Script): Converter<string> {
  return {
    createSerializer: (message) => scriptedSerializer(message, script),
    createDeserializer: (connection, limits) => {
      script.createDeserializer?.(connection, limits);
      return scriptedDeserializer(script);
    },
  };
}

function scriptedSerializer(message: string, script: Script): Serializer {
  const { getBytes, destroySerializer } = script;
  let given = false;
  return {
    getBytes(callback) {
      if (getBytes !== undefined) return getBytes(message, callback) as Uint8Array;
      const bytes = given ? EMPTY : Buffer.from(`${message}\n`);
      given = true;
      return bytes;
    },
    destroy: destroySerializer,
  };
}

function scriptedDeserializer(script: Script): Deserializer<string> {
  const { putBytes = putLine, message, destroyDeserializer } = script;
  let line = '';
  return {
    get message() {
      return message === undefined ? line.trimEnd() : message();
    },
    putBytes(data, callback) {
      const answer = putBytes(data, callback) as PutBytesResult;
      const unused: unknown = Array.isArray(answer) ? answer[0] : undefined;
      const left = unused instanceof Uint8Array ? unused.length : unused;
      if (typeof left === 'number')
        line += data.toString('utf8', 0, Math.max(0, data.length - left));
      return answer;
    },
    destroy: destroyDeserializer,
  };
}

/** Takes a line. */
function putLine(data: Buffer): PutBytesResult {
  const end = data.indexOf('\n');
  return end === -1 ? [EMPTY, WAIT_FOR_MORE] : [data.subarray(end + 1), DONE];
}

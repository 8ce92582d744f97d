import { DONE, WAIT_FOR_MORE } from 'nestjs-pike/core';

const NOTHING = Buffer.alloc(0);

/** 4 bytes of length and the bytes, as a plain converter: an object for each message, on both sides. */
export class ObjectConverter {
  createSerializer(message) {
    return new MessageSerializer(message);
  }

  createDeserializer() {
    return new MessageDeserializer();
  }
}

class MessageSerializer {
  #message;

  constructor(message) {
    this.#message = message;
  }

  getBytes() {
    const message = this.#message;
    if (message === undefined) return NOTHING;
    this.#message = undefined;
    const bytes = Buffer.allocUnsafe(4 + message.length);
    bytes.writeUInt32BE(message.length, 0);
    message.copy(bytes, 4);
    return bytes;
  }
}

class MessageDeserializer {
  message;

  putBytes(data) {
    if (data.length < 4) return [data, WAIT_FOR_MORE];
    const end = 4 + data.readUInt32BE(0);
    if (data.length < end) return [data, WAIT_FOR_MORE];
    this.message = data.subarray(4, end);
    return [data.subarray(end), DONE];
  }
}

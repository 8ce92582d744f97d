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

/** Gives the length, and then the message itself: without a copy. */
class MessageSerializer {
  #message;
  #given = 0;

  constructor(message) {
    this.#message = message;
  }

  getBytes() {
    switch (this.#given++) {
      case 0: {
        const length = Buffer.allocUnsafe(4);
        length.writeUInt32BE(this.#message.length);
        return length;
      }
      case 1:
        return this.#message;
      default:
        return NOTHING;
    }
  }
}

class MessageDeserializer {
  message;

  putBytes(data) {
    if (data.length < 4) return [data, WAIT_FOR_MORE];
    const end = 4 + data.readUInt32BE(0);
    if (data.length < end) return [data, WAIT_FOR_MORE];
    this.message = data.subarray(4, end);
    return [data.length - end, DONE];
  }
}

import { Injectable } from '@nestjs/common';
import { FramedConverter } from 'nestjs-pike/core';
import type { ByteReader, ByteWriter } from 'nestjs-pike/core';

const NEWLINE = 0x0a;

/** What both sides must know, from wherever it comes. */
export abstract class Secret {
  abstract readonly word: string;
}

/** JSON lines behind a secret word: only sides that were given the same one understand each other. */
@Injectable()
export class SecretLineConverter extends FramedConverter<object> {
  readonly #secret: Secret;

  constructor(secret: Secret) {
    super();
    this.#secret = secret;
  }

  encode(message: object, writer: ByteWriter): void {
    writer.writeString(this.#secret.word).writeString(JSON.stringify(message)).writeUInt8(NEWLINE);
  }

  decode(reader: ByteReader): object | undefined {
    const length = reader.indexOf(NEWLINE);
    if (length === -1) return undefined;
    const line = reader.readString(length);
    reader.skip(1);
    const { word } = this.#secret;
    if (!line.startsWith(word)) throw new Error('The peer does not know the secret.');
    return JSON.parse(line.slice(word.length)) as object;
  }
}

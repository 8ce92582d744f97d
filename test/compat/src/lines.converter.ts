import { Injectable } from '@nestjs/common';
import { FramedConverter } from 'nestjs-pike/converters';
import type { ByteReader, ByteWriter } from 'nestjs-pike/converters';

const NEWLINE = 0x0a;

@Injectable()
export class LinesConverter extends FramedConverter<string> {
  encode(line: string, writer: ByteWriter): void {
    writer.writeString(line).writeUInt8(NEWLINE);
  }

  decode(reader: ByteReader): string | undefined {
    const length = reader.indexOf(NEWLINE);
    if (length === -1) return undefined;
    const line = reader.readString(length);
    reader.skip(1);
    return line;
  }
}

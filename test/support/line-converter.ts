import { FramedConverter } from 'nestjs-pike/core';
import type { ByteReader, ByteWriter } from 'nestjs-pike/core';

const NEWLINE = 0x0a;

/** One line per message. A line that begins with `!` can be neither written nor read: it throws. */
export class LineConverter extends FramedConverter<string> {
  encode(message: string, writer: ByteWriter): void {
    writer.writeString(message);
    if (message.startsWith('!')) throw new Error(`Cannot write ${message}`);
    writer.writeUInt8(NEWLINE);
  }

  decode(reader: ByteReader): string | undefined {
    const length = reader.indexOf(NEWLINE);
    if (length === -1) return undefined;
    const line = reader.readString(length);
    reader.skip(1);
    if (line.startsWith('!')) throw new Error(`Cannot read ${line}`);
    return line;
  }
}

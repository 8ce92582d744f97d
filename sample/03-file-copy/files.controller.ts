import { Controller, Logger } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { OnFinishDisconnect, OnRemoteDisconnect } from 'nestjs-pike';
import type { FinishDisconnectEvent, RemoteDisconnectEvent } from 'nestjs-pike';
import type { ReceivedFile } from 'nestjs-pike/converters';
import type { Receipt } from './protocol.js';
import { ReceivedFiles } from './received-files.js';

@Controller()
export class FilesController {
  private readonly logger = new Logger('Files');

  constructor(private readonly files: ReceivedFiles) {}

  /** Called with a file that is whole, whose checksum is right, and that has its name. */
  @MessagePattern('file')
  async received(@Payload() file: ReceivedFile): Promise<Receipt> {
    const receipt = await this.files.keep(file);
    this.logger.log(`Stored ${receipt.storedAs}, ${receipt.size} bytes, ${receipt.sha256}`);
    return receipt;
  }

  /** We have ended a connection: with an error, if the peer has sent what we do not take. */
  @OnFinishDisconnect()
  ended({ error }: FinishDisconnectEvent): void {
    if (error) this.logger.warn(`A sender was cut off: ${error.message}`);
  }

  /** A sender has left: with an error, if it was in the middle of a file. */
  @OnRemoteDisconnect()
  left({ error }: RemoteDisconnectEvent): void {
    if (error) this.logger.warn(`A sender was lost: ${error.message}`);
  }
}

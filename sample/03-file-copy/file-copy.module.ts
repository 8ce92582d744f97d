import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { FileConverter } from 'nestjs-pike/converters';
import { FilesController } from './files.controller.js';
import { ReceivedFiles } from './received-files.js';

@Module({})
export class FileCopyModule {
  /** @param converter the one that the server receives with */
  static with(converter: FileConverter): DynamicModule {
    return {
      module: FileCopyModule,
      controllers: [FilesController],
      providers: [ReceivedFiles, { provide: FileConverter, useValue: converter }],
    };
  }
}

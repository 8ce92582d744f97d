import { Module } from '@nestjs/common';
import { JsonConverter } from 'nestjs-pike/converters';

/** The token of the converter that all servers and clients share. */
export const WIRE = 'WIRE';

@Module({
  providers: [{ provide: WIRE, useFactory: () => new JsonConverter() }],
  exports: [WIRE],
})
export class WireModule {}

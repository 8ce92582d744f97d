import { Module } from '@nestjs/common';

/** The clients of one `PikeModule.registerClient`. */
@Module({})
export class PikeClientsModule {}

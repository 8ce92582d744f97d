import { Global, Module } from '@nestjs/common';
import { exported, providers } from './server-providers.js';

/** One for each application, however often PikeModule is imported. */
@Global()
@Module({ providers, exports: exported })
export class PikeCoreModule {}

import { Global, Module } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { exported, providers } from './server-providers.js';

/** One for each application, however often PikeModule is imported. */
@Global()
@Module({ providers, exports: exported })
export class PikeCoreModule {
  constructor(modules: ModulesContainer) {
    // Nest calls the hooks of modules by their distance: those of global modules as they come, before
    // all others, and the shutdown hooks the other way round. Global modules, too, use clients in theirs.
    for (const module of modules.values()) {
      if (module.metatype === PikeCoreModule) module.distance = Infinity;
    }
  }
}

import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ChannelsController } from './channels.controller.js';
import { KeysController } from './keys.controller.js';
import { ServerController } from './server.controller.js';
import { Store } from './store.js';
import { SubscriberGuard } from './subscriber.guard.js';
import { Subscriptions } from './subscriptions.js';

@Module({
  controllers: [KeysController, ChannelsController, ServerController],
  providers: [Store, Subscriptions, { provide: APP_GUARD, useClass: SubscriberGuard }],
})
export class RedisModule {}

import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import type { PikeContext } from 'nestjs-pike';
import type { Command } from './commands.js';
import { COMMANDS } from './commands.js';
import { Subscriptions } from './subscriptions.js';

/**
 * In RESP2 a connection that has subscribed may do little else, since it could not tell replies from
 * messages.
 */
@Injectable()
export class SubscriberGuard implements CanActivate {
  constructor(private readonly subscriptions: Subscriptions) {}

  canActivate(context: ExecutionContext): boolean {
    const pike = context.switchToRpc().getContext<PikeContext>();
    const name = pike.getPattern();
    const { [name]: command }: Record<string, Command> = COMMANDS;
    if (command?.whileSubscribed === false && this.subscriptions.count(pike.getConnection()) > 0) {
      throw new RpcException(
        `ERR Can't execute '${name.toLowerCase()}': only SUBSCRIBE / UNSUBSCRIBE / PING are ` +
          'allowed in this context',
      );
    }
    return true;
  }
}

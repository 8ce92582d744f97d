import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { PikeContext } from 'nestjs-pike';
import type { RespValue } from 'nestjs-pike/converters';
import { Arguments } from './arguments.pipe.js';
import { Subscriptions } from './subscriptions.js';

@Controller()
export class ChannelsController {
  constructor(private readonly subscriptions: Subscriptions) {}

  @MessagePattern('SUBSCRIBE')
  subscribe(
    @Payload(new Arguments('SUBSCRIBE')) channels: Buffer[],
    @Ctx() context: PikeContext,
  ): RespValue[] {
    const connection = context.getConnection();
    this.subscriptions.checkRoom(connection, channels.length);
    const confirmations = channels.map((channel): RespValue[] => {
      const name = channel.toString('latin1');
      this.subscriptions.add(connection, name);
      context.join(groupOf(name));
      return [channel, this.subscriptions.count(connection)];
    });
    return confirm('subscribe', confirmations, context);
  }

  @MessagePattern('UNSUBSCRIBE')
  unsubscribe(
    @Payload(new Arguments('UNSUBSCRIBE')) channels: Buffer[],
    @Ctx() context: PikeContext,
  ): RespValue[] {
    const connection = context.getConnection();
    const names = channels.map((channel) => channel.toString('latin1'));
    const left = names.length > 0 ? names : this.subscriptions.of(connection);
    const confirmations = left.map((name): RespValue[] => {
      this.subscriptions.remove(connection, name);
      context.leave(groupOf(name));
      return [Buffer.from(name, 'latin1'), this.subscriptions.count(connection)];
    });
    return confirm('unsubscribe', confirmations.length > 0 ? confirmations : [[null, 0]], context);
  }

  @MessagePattern('PUBLISH')
  publish(
    @Payload(new Arguments('PUBLISH')) [channel, message]: [Buffer, Buffer],
    @Ctx() context: PikeContext,
  ): number {
    const subscribers = context.group(groupOf(channel.toString('latin1')));
    const count = subscribers.connections.length;
    subscribers.broadcast('message', [channel, message]);
    return count;
  }
}

/** One confirmation for each channel: the last is the reply, the others are events that go ahead of it. */
function confirm(kind: string, confirmations: RespValue[][], context: PikeContext): RespValue[] {
  for (const confirmation of confirmations.slice(0, -1)) context.emit(kind, confirmation);
  return [kind, ...(confirmations.at(-1) ?? [])];
}

function groupOf(channel: string): string {
  return `channel ${channel}`;
}

import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import {
  OnFinishDisconnect,
  OnRejectedMessage,
  OnRemoteConnect,
  OnRemoteDisconnect,
  PikeContext,
  RejectedMessageEvent,
  RemoteConnectEvent,
} from 'nestjs-pike';
import type { FinishDisconnectEvent, RemoteDisconnectEvent } from 'nestjs-pike';
import { NicknameNegotiator } from './nickname-negotiator.js';
import { printable } from './printable.js';
import type { Member } from './room.js';
import { Room } from './room.js';

@Controller()
export class ChatController {
  constructor(
    private readonly negotiator: NicknameNegotiator,
    private readonly room: Room,
  ) {}

  @OnRemoteConnect()
  arrives(@Payload() event: RemoteConnectEvent, @Ctx() context: PikeContext<string>): void {
    event.finishAccept({ separate: true });
    // Not awaited: it begins when this handler has returned and the peer is accepted.
    void this.negotiator.negotiate(event, context.getConnector());
  }

  /** A line of a member: those of others go to the negotiator. */
  @EventPattern<string>('line')
  line(@Payload() line: string, @Ctx() context: PikeContext<string>): void {
    const member = this.room.memberAt(context.getConnection());
    // Of one who has left, lines may still be on their way.
    if (member === undefined) return;
    if (!member.allowance.take(performance.now())) {
      this.#dismiss(member, '* You talk too much. Goodbye.');
      return;
    }
    const text = printable(line).trim();
    if (text.startsWith('/')) this.#command(member, text);
    else if (text !== '') this.room.say(member, text);
  }

  /** A member for whom so many lines wait that no more are taken does not read: nobody waits for that. */
  @OnRejectedMessage()
  isNotTaken(@Payload() event: RejectedMessageEvent, @Ctx() context: PikeContext<string>): void {
    if (event.error.code !== 'PIKE_ERR_QUEUE_FULL') return;
    context.getConnector().disconnect(event.connection, { now: true });
  }

  @OnRemoteDisconnect()
  hasLeft({ connection }: RemoteDisconnectEvent): void {
    this.room.leave(connection);
  }

  @OnFinishDisconnect()
  wasDisconnected({ connection }: FinishDisconnectEvent): void {
    this.room.leave(connection);
  }

  #command(member: Member, command: string): void {
    switch (command) {
      case '/who':
        member.peer.tell(`* Here: ${this.room.nicknames.join(', ')}.`);
        return;
      case '/quit':
        this.#dismiss(member, '* Goodbye.');
        return;
      default:
        member.peer.tell('* The commands are /who and /quit.');
    }
  }

  #dismiss({ peer }: Member, lastWords: string): void {
    this.room.leave(peer.connection);
    peer.dismiss(lastWords);
  }
}

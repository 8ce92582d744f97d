import { Controller, Module } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import {
  OnFinishDisconnect,
  OnRemoteConnect,
  OnRemoteDisconnect,
  PIKE_TRANSPORT,
  PikeContext,
  PikeLifecycle,
  RemoteConnectEvent,
} from 'nestjs-pike';
import type {
  FinishDisconnectEvent,
  RejectedMessageEvent,
  RemoteDisconnectEvent,
} from 'nestjs-pike';
import { map, range } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, say } from './say.js';

/** Ordinary handlers: nothing in them knows about sockets. */
@Controller()
export class WordsController {
  @MessagePattern('double')
  double(@Payload() value: string): number | string {
    const number = Number(value);
    return Number.isNaN(number) ? value + value : number * 2;
  }

  @MessagePattern({ cmd: 'spell' })
  spell(@Payload() word: string): Observable<string> {
    return range(0, word.length).pipe(map((index) => word.charAt(index)));
  }

  @EventPattern<string>('noted')
  noted(@Payload() note: string, @Ctx() context: PikeContext): void {
    say('handler', `@EventPattern('${context.getPattern()}') got ${describe(note)}`);
  }
}

/** What happens to connections reaches handlers too; a packet from the wire never does. */
@Controller()
export class LifecycleController {
  @OnRemoteConnect()
  connecting(event: RemoteConnectEvent): void {
    say('event', `${event.type}: a peer is connecting; nothing is read before finishAccept()`);
    event.finishAccept();
  }

  @OnRemoteDisconnect()
  left(event: RemoteDisconnectEvent): void {
    say('event', `${event.type}: the peer has left`);
  }

  @OnFinishDisconnect()
  ended(event: FinishDisconnectEvent): void {
    say('event', `${event.type}: we have ended the connection`);
  }

  @EventPattern(PikeLifecycle.RejectedMessage, PIKE_TRANSPORT)
  rejected(event: RejectedMessageEvent): void {
    say('event', `${event.type}: ${describe(event.message)}: ${event.error.code}`);
  }
}

@Module({ controllers: [WordsController, LifecycleController] })
export class AppModule {}

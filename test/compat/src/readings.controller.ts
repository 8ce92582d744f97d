import { CanActivate, Controller, Injectable, ParseIntPipe, UseGuards } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import {
  OnRemoteConnect,
  OnRemoteDisconnect,
  PIKE_TRANSPORT,
  PikeContext,
  RemoteConnectEvent,
  RemoteDisconnectEvent,
} from 'nestjs-pike';
import { interval, map, Observable } from 'rxjs';
import { Peers } from './peers.js';

@Injectable()
export class EverybodyGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Controller()
export class ReadingsController {
  constructor(private readonly peers: Peers) {}

  @MessagePattern('sum', PIKE_TRANSPORT)
  sum(@Payload() numbers: number[], @Ctx() context: PikeContext): number {
    if (!context.getConnection().inbound) throw new RpcException('nobody has connected');
    return numbers.reduce((total, number) => total + number, 0);
  }

  @MessagePattern({ cmd: 'square' })
  square(@Payload(ParseIntPipe) number: number): number {
    return number * number;
  }

  @MessagePattern('ticks')
  ticks(@Payload() from: number): Observable<number> {
    return new Observable<number>((subscriber) => {
      const source = interval(1)
        .pipe(map((step) => from + step))
        .subscribe(subscriber);
      return () => {
        source.unsubscribe();
        this.peers.add('torn down');
      };
    });
  }

  @MessagePattern('letters')
  async *letters(@Payload() text: string): AsyncGenerator<string> {
    for (const letter of text) yield await Promise.resolve(letter);
  }

  @MessagePattern('fails')
  fails(): never {
    throw new RpcException({ status: 'error', code: 'MINE', message: 'on purpose' });
  }

  @MessagePattern('line')
  line(@Payload() line: string): string {
    return line.toUpperCase();
  }

  @EventPattern('noted')
  noted(@Payload() note: string): void {
    this.peers.add(`noted ${note}`);
  }

  @OnRemoteConnect()
  @UseGuards(EverybodyGuard)
  connecting(event: RemoteConnectEvent): void {
    event.finishAccept();
    this.peers.add('accepted');
  }

  @OnRemoteDisconnect()
  left(event: RemoteDisconnectEvent): void {
    this.peers.add(event.queued.length === 0 ? 'left' : 'left early');
  }
}

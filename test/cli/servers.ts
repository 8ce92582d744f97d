import { EventEmitter } from 'node:events';
import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern, RpcException } from '@nestjs/microservices';
import { finalize, interval, map, take } from 'rxjs';

/** What the handlers below have noticed. */
export const noticed = new EventEmitter();

/** Handlers of every kind that a command can meet. */
@Controller()
export class AnyController {
  @MessagePattern('sum')
  sum(numbers: number[]) {
    return numbers.reduce((total, number) => total + number, 0);
  }

  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }

  @MessagePattern({ cmd: 'greet' })
  greet(name: string) {
    return { greeting: `Hello, ${name}!` };
  }

  @MessagePattern('countdown')
  countdown(from: number) {
    return interval(1).pipe(
      map((step) => from - step),
      take(from),
    );
  }

  @MessagePattern('ticks')
  ticks() {
    return interval(10).pipe(finalize(() => noticed.emit('torn down')));
  }

  @MessagePattern('refuse')
  refuse() {
    throw new RpcException({ status: 'error', message: 'not today' });
  }

  @MessagePattern('never')
  never() {
    noticed.emit('never');
    return new Promise<never>(() => undefined);
  }

  @EventPattern('noted')
  noted(data: unknown) {
    noticed.emit('noted', data);
  }
}

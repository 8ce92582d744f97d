import { Controller, Injectable } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { FinishConnectEvent, OnFinishConnect, PikeContext } from 'nestjs-pike';
import { firstValueFrom } from 'rxjs';

/** What the server has said of the brightness of a lamp. */
@Injectable()
export class Echo {
  readonly brightness: Promise<number>;
  heard!: (brightness: number) => void;

  constructor() {
    this.brightness = new Promise((resolve) => (this.heard = resolve));
  }
}

/** A display that connects by itself, and is asked back for what it asks. */
@Controller()
export class LampController {
  constructor(private readonly echo: Echo) {}

  @OnFinishConnect()
  async connected(
    @Payload() event: FinishConnectEvent,
    @Ctx() context: PikeContext,
  ): Promise<void> {
    if (event.success)
      this.echo.heard(await firstValueFrom(context.send<number>('my brightness', {})));
  }

  @MessagePattern('brightness')
  brightness(): number {
    return 80;
  }
}

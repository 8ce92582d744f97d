import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { InjectPikeServer, PikeContext, PikeServer } from 'nestjs-pike';
import { endWith, map, Observable } from 'rxjs';

/** Serves displays, in teams, and those who tell them what to show. */
@Controller()
export class DisplaysController {
  constructor(@InjectPikeServer() private readonly server: PikeServer) {}

  @MessagePattern('join')
  join(@Payload() team: string, @Ctx() context: PikeContext): boolean {
    context.emit('welcome', team);
    return context.join(team);
  }

  /** @returns how many displays it has reached */
  @MessagePattern('tell the team')
  tellTeam(@Payload() { team, text }: { team: string; text: string }): Observable<number> {
    return this.server
      .group(team)
      .broadcast('show', text)
      .pipe(map(({ sent }) => sent));
  }

  /** @returns how many displays it has reached */
  @MessagePattern('tell the others')
  tellOthers(@Payload() text: string, @Ctx() context: PikeContext): Observable<number> {
    return this.server
      .broadcast('show', text, { except: context.getConnection() })
      .pipe(map(({ sent }) => sent));
  }

  @MessagePattern('tell me')
  tellMe(@Payload() text: string, @Ctx() context: PikeContext): Observable<unknown> {
    return this.server.emitTo(context.getConnection(), 'show', text).pipe(endWith('told'));
  }

  /** Asks back whoever asks. */
  @MessagePattern('my brightness')
  brightness(@Ctx() context: PikeContext): Observable<number> {
    return context.send<number>('brightness', {});
  }
}

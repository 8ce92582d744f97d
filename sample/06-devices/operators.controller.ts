import {
  BadGatewayException,
  BadRequestException,
  Body,
  Controller,
  GatewayTimeoutException,
  Get,
  NotFoundException,
  Param,
  Post,
  Put,
  ServiceUnavailableException,
} from '@nestjs/common';
import { InjectPikeServer, isPikeError, PikeServer } from 'nestjs-pike';
import { catchError, firstValueFrom, map, timeout, TimeoutError } from 'rxjs';
import type { Frame } from './frames.js';
import { Inventory } from './inventory.js';
import { Presence } from './presence.js';
import type { Command } from './protocol.js';
import { CommandFailed } from './protocol.js';
import { Readings } from './readings.js';

/** How long a device may take to do as it is told, in ms. */
const COMMAND_TIMEOUT = 2_000;
const LONGEST_TEXT = 200;

/** What people do, over HTTP. Who may is for a guard of yours to decide. */
@Controller()
export class OperatorsController {
  constructor(
    private readonly inventory: Inventory,
    private readonly presence: Presence,
    private readonly readings: Readings,
    @InjectPikeServer() private readonly server: PikeServer<Frame>,
  ) {}

  @Get('devices')
  list() {
    return this.presence.devices.map(({ id, tenant }) => ({ id, tenant }));
  }

  @Get('devices/:id')
  get(@Param('id') id: string) {
    const device = this.inventory.get(id);
    if (device === undefined) throw new NotFoundException(`There is no device ${id}.`);
    const connected = this.presence.connectionOf(id) !== undefined;
    return { id, tenant: device.tenant, connected, readings: this.readings.of(id) };
  }

  @Put('devices/:id/relay')
  async switchRelay(@Param('id') id: string, @Body() { on }: { on?: unknown } = {}) {
    if (typeof on !== 'boolean') throw new BadRequestException('on must be true or false.');
    return { on: (await this.#command(id, 'relay', on ? 1 : 0)) === 1 };
  }

  @Post('tenants/:tenant/display')
  async display(@Param('tenant') tenant: string, @Body() { text }: { text?: unknown } = {}) {
    if (typeof text !== 'string' || text.length > LONGEST_TEXT) {
      throw new BadRequestException(`text must be a text of up to ${LONGEST_TEXT} characters.`);
    }
    const result = this.server.group(`tenant ${tenant}`).broadcast('display', text);
    return firstValueFrom(
      result.pipe(map(({ sent, failed }) => ({ sent, failed: failed.length }))),
    );
  }

  #command(id: string, command: Command, argument: number): Promise<number> {
    const connection = this.presence.connectionOf(id);
    if (connection === undefined) throw new NotFoundException(`${id} is not connected.`);
    return firstValueFrom(
      this.server.sendTo<number>(connection, command, argument).pipe(
        timeout(COMMAND_TIMEOUT),
        catchError((error: unknown) => {
          throw httpErrorOf(error);
        }),
      ),
    );
  }
}

/** What has become of a command, in HTTP's words: only after 503 it is certain that it was not done. */
function httpErrorOf(error: unknown): unknown {
  if (error instanceof TimeoutError) {
    return new GatewayTimeoutException('The device has not answered. It may have done it.');
  }
  if (error instanceof CommandFailed) return new BadGatewayException(error.message);
  if (!isPikeError(error)) return error;
  return error.delivery === 'unsent'
    ? new ServiceUnavailableException('The device was not reached.')
    : new BadGatewayException('The device was lost. It may have done it.');
}

import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import { InjectPikeServer, PikeServer } from 'nestjs-pike';
import { PikeHealthIndicator } from 'nestjs-pike/terminus';

@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly pike: PikeHealthIndicator,
    @InjectPikeServer() private readonly server: PikeServer,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.pike.checkServer('readings', this.server)]);
  }
}

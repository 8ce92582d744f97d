import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';

@Controller()
export class DoublerController {
  @MessagePattern('double')
  double(@Payload() value: number): number {
    return value * 2;
  }
}

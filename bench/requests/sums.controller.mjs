import { Controller, Module } from '@nestjs/common';
import { GrpcMethod, MessagePattern } from '@nestjs/microservices';
import { range } from 'rxjs';
import { map } from 'rxjs/operators';
import { decorate } from '../harness/decorate.mjs';

/** The one controller behind every transport. gRPC has messages of its own, so it has methods of its own. */
export class SumsController {
  sum(numbers) {
    return numbers.reduce((total, number) => total + number, 0);
  }

  values(count) {
    return range(0, count);
  }

  grpcSum({ numbers }) {
    return { total: this.sum(numbers) };
  }

  grpcValues({ count }) {
    return this.values(count).pipe(map((value) => ({ value })));
  }
}

Controller()(SumsController);
decorate(SumsController, 'sum', MessagePattern('sum'));
decorate(SumsController, 'values', MessagePattern('values'));
decorate(SumsController, 'grpcSum', GrpcMethod('Sums', 'Sum'));
decorate(SumsController, 'grpcValues', GrpcMethod('Sums', 'Values'));

/** The application. */
export class SumsModule {}
Module({ controllers: [SumsController] })(SumsModule);

import { Controller, Module } from '@nestjs/common';
import { GrpcMethod, MessagePattern } from '@nestjs/microservices';
import { range } from 'rxjs';
import { map } from 'rxjs/operators';

/** The one controller behind every transport. gRPC has messages of its own, so it has methods of its own. */
class SumsController {
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

function decorate(method, decorator) {
  const { prototype } = SumsController;
  decorator(prototype, method, Object.getOwnPropertyDescriptor(prototype, method));
}

Controller()(SumsController);
decorate('sum', MessagePattern('sum'));
decorate('values', MessagePattern('values'));
decorate('grpcSum', GrpcMethod('Sums', 'Sum'));
decorate('grpcValues', GrpcMethod('Sums', 'Values'));

/** The application. */
export class SumsModule {}
Module({ controllers: [SumsController] })(SumsModule);

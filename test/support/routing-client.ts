import { ClientProxy } from '@nestjs/microservices';

/** Says how Nest writes a pattern, which only a `ClientProxy` is told. */
export class RoutingClient extends ClientProxy {
  routeOf(pattern: unknown): string {
    return this.normalizePattern(pattern as string);
  }

  connect(): Promise<never> {
    throw new Error('It does not connect.');
  }

  close(): void {}

  unwrap(): never {
    throw new Error('There is nothing inside.');
  }

  protected publish(): () => void {
    return () => undefined;
  }

  protected dispatchEvent(): Promise<never> {
    throw new Error('It does not send.');
  }
}

/**
 * Names this transport in `@MessagePattern(pattern, PIKE_TRANSPORT)` and `@EventPattern`, so that a
 * handler of a hybrid application belongs to Pike servers only.
 */
export const PIKE_TRANSPORT: unique symbol = Symbol.for('nestjs-pike');

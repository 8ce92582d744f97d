import { RpcException } from '@nestjs/microservices';

/** As Nest's exception filter says it of errors that are none of the client's business. */
export const INTERNAL_ERROR = Object.freeze({ status: 'error', message: 'Internal server error' });

/**
 * What a client is told of an error that has not passed Nest's exception filters: one that a
 * generator throws on its way, a processing hook, or a filter itself. The same as Nest's own filter
 * would say, for the properties of an error may be secrets.
 */
export function replyErrorOf(thrown: unknown): unknown {
  if (!(thrown instanceof RpcException)) return INTERNAL_ERROR;
  const error = thrown.getError();
  return typeof error === 'object' ? error : { status: 'error', message: error };
}

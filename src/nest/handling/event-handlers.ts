import type { MessageHandler } from '@nestjs/microservices';
import { forkJoin, from, isObservable, mergeMap, of } from 'rxjs';
import type { Observable } from 'rxjs';

/**
 * A handler of events that calls only itself. Nest's own calls the next one of the same event, which
 * it finds in its `next`, and joins what both return: there a stream is waited for and never pulled,
 * and a handler that fails ends the others' streams. Since Nest chains what it is given, and this is
 * another function, its own finds none.
 */
export function soloHandler(handler: MessageHandler): MessageHandler {
  return (data, context) => handler(data, context);
}

/** The handlers of one event, from the first, which Nest has found. */
export function handlersOf(first: MessageHandler): MessageHandler[] {
  // Of a pattern that has a request handler too, Nest calls the one that it has found.
  if (first.isEventHandler !== true) return [first];
  const handlers = [];
  for (let next: MessageHandler | undefined = first; next !== undefined; next = next.next) {
    handlers.push(next);
  }
  return handlers;
}

/**
 * What answers a request for the pattern of a handler: that handler, or, for an event with several,
 * one that calls all of them and joins what they return, as Nest does.
 */
export function joinedHandler(first: MessageHandler): MessageHandler {
  const { next } = first;
  if (next === undefined || first.isEventHandler !== true) return first;
  return async (data, context) =>
    forkJoin({
      current: observe(first(data, context)),
      next: observe(joinedHandler(next)(data, context)),
    });
}

function observe(result: unknown): Observable<unknown> {
  return from(Promise.resolve(result)).pipe(
    mergeMap((value) => (isObservable(value) ? value : of(value))),
  );
}

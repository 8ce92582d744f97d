import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ChannelListener, TracingChannelSubscribers } from 'node:diagnostics_channel';

/** What ends with the test. */
const stops: (() => void)[] = [];

/** Listens to a channel until {@link unlisten}. */
export function listen(name: string, listener: ChannelListener): void {
  subscribe(name, listener);
  onUnlisten(() => unsubscribe(name, listener));
}

/** To be done by {@link unlisten}. */
export function onUnlisten(stop: () => void): void {
  stops.push(stop);
}

/** Ends all listening. */
export function unlisten(): void {
  for (const stop of stops.splice(0)) stop();
}

type Step = keyof TracingChannelSubscribers<object>;

/** A message of a tracing channel as it was at one of its steps. */
export interface Told<Message> {
  step: Step;
  message: Message;
}

/** Every message of a tracing channel from now on. */
export function trace<Message extends object>(name: string): Told<Message>[] {
  const told: Told<Message>[] = [];
  for (const step of ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const) {
    listen(`tracing:${name}:${step}`, (message) =>
      // As it is at the moment: it is the same object each time.
      told.push({ step, message: { ...(message as Message) } }),
    );
  }
  return told;
}

/** What was told of operations that have ended, in that order. */
export function ended<Message>(told: readonly Told<Message>[]): Message[] {
  return told.filter(({ step }) => step === 'asyncEnd').map(({ message }) => message);
}

import type { Connection, Connector, ConnectorEvent } from 'nestjs-pike/core';

type EventType = ConnectorEvent['type'];
type EventOf<T, Type extends EventType> = Extract<ConnectorEvent<T>, { type: Type }>;

interface Waiter<T> {
  wants: (event: ConnectorEvent<T>) => boolean;
  resolve: (event: ConnectorEvent<T>) => void;
}

/** Subscribes to a connector, keeps every event in order, and lets a test await the next one of a type. */
export class EventRecorder<T> {
  readonly all: ConnectorEvent<T>[] = [];
  readonly #unclaimed: ConnectorEvent<T>[] = [];
  #waiters: Waiter<T>[] = [];

  /** @param onEvent called first, with each event; by default peers are accepted */
  constructor(connector: Connector<T>, onEvent: (event: ConnectorEvent<T>) => void = accept) {
    connector.subscribe((event) => {
      this.all.push(event);
      onEvent(event);
      const waiter = this.#waiters.find(({ wants }) => wants(event));
      if (waiter === undefined) {
        this.#unclaimed.push(event);
        return;
      }
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
      waiter.resolve(event);
    });
  }

  /** The next event of a type (of a connection) that no earlier call has taken. */
  next<Type extends EventType>(type: Type, of?: Connection): Promise<EventOf<T, Type>> {
    const wants = (event: ConnectorEvent<T>): boolean =>
      event.type === type && (of === undefined || event.connection === of);
    const found = this.#unclaimed.findIndex(wants);
    if (found !== -1) {
      return Promise.resolve(this.#unclaimed.splice(found, 1)[0] as EventOf<T, Type>);
    }
    return new Promise((resolve) =>
      this.#waiters.push({ wants, resolve: (event) => resolve(event as EventOf<T, Type>) }),
    );
  }

  /** The types of all events so far (of a connection), in order. */
  types(of?: Connection): EventType[] {
    return this.all
      .filter(({ connection }) => of === undefined || connection === of)
      .map(({ type }) => type);
  }

  /** The messages received so far (on a connection), in order. */
  messages(of?: Connection): T[] {
    return this.all.flatMap((event) =>
      event.type === 'messageReceived' && (of === undefined || event.connection === of)
        ? [event.message]
        : [],
    );
  }
}

/** Accepts every peer. */
export function accept(event: ConnectorEvent): void {
  if (event.type === 'remoteConnect') event.finishAccept();
}

/** Leaves every peer waiting. */
export function acceptNobody(): void {}

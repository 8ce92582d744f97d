import { Connection, isPikeError } from 'nestjs-pike/core';
import type { Connector, ConnectorEvent, Endpoint, Finish } from 'nestjs-pike/core';
import { Link } from '../../src/core/link/link.js';
import type { Account } from '../../src/core/outbound/outbound-queue.js';
import type { Parcel } from '../support/parcel-converter.js';
import { FramedParcelConverter, ParcelConverter } from '../support/parcel-converter.js';
import { RawListener } from '../support/raw-peer.js';
import type { RawPeer } from '../support/raw-peer.js';
import type { Place, Transport } from '../support/transports/transport.js';
import { inputHandled, nextTurn } from '../support/turns.js';
import { TRANSPORTS } from './fate-case.js';
import type { Draft, FateCase, Step, Way } from './fate-case.js';

/** What can become of a message. */
export type Fate = Exclude<keyof Account, 'given'>;

/** A `flushed` that was asked for, and what came of it. */
export interface Flush {
  given: Parcel[];
  result: 'pending' | 'resolved' | 'rejected';
}

/** The last event of a connection. */
export type EndEvent = Extract<
  ConnectorEvent<Parcel>,
  { type: 'finishConnect' | 'finishDisconnect' | 'remoteDisconnect' }
>;

/** The outcome of a case. */
export interface Outcome {
  given: Parcel[];
  /** By what the events said; what they did not mention was sent. */
  fates: Map<Parcel, Fate>;
  /** By the connection's own books. */
  account: Readonly<Account>;
  end: EndEvent;
  /** Everything the peer has read; nothing if there was no peer. */
  peerRead: Buffer;
  flushes: Flush[];
  /** What the connector did wrong to serializers, and how many it has left behind. */
  violations: string[];
  living: number;
  errors: Error[];
}

/** Plays a case, with real sockets on both sides. */
export async function play(fateCase: FateCase): Promise<Outcome> {
  const run = new FateRun(fateCase, await TRANSPORTS[fateCase.transport].findPlace());
  try {
    return await run.play();
  } finally {
    await run.cleanUp();
  }
}

class FateRun {
  readonly #case: FateCase;
  readonly #transport: Transport;
  readonly #place: Place;
  readonly #plain: ParcelConverter;
  readonly #connector: Connector<Parcel>;
  readonly #given: Parcel[] = [];
  readonly #fates = new Map<Parcel, Fate>();
  readonly #flushes: Flush[] = [];
  readonly #errors: Error[] = [];
  readonly #open: Promise<void>;
  readonly #ended: Promise<EndEvent>;
  #onOpen: () => void = () => {};
  #onEnd: (event: EndEvent) => void = () => {};
  #onArrived: () => void = () => {};
  #accept: (() => void) | undefined;
  #connection: Connection | undefined;
  #listener: RawListener | undefined;
  /** The peer, once it is there. */
  #peer: Promise<RawPeer> | undefined;
  #peerReadsOn: boolean;

  constructor(fateCase: FateCase, place: Place) {
    this.#case = fateCase;
    this.#transport = TRANSPORTS[fateCase.transport];
    this.#place = place;
    this.#peerReadsOn = fateCase.peer === 'reads';
    const { role, framed, chunkBytes, maxQueuedMessages } = fateCase;
    const hooks = { act: (way: string) => this.#disconnect(FINISH[way as Way]) };
    this.#plain = new ParcelConverter({ ...hooks, isDeaf: this.#isDeaf });
    this.#connector = this.#transport.createConnector<Parcel>({
      converter: framed ? new FramedParcelConverter(hooks) : this.#plain,
      chunkBytes,
      maxQueuedMessages,
      onError: (error) => this.#errors.push(error),
      ...(role === 'accepts' ? place.endpoint : {}),
    });
    this.#open = new Promise((resolve) => (this.#onOpen = resolve));
    this.#ended = new Promise((resolve) => (this.#onEnd = resolve));
    this.#connector.subscribe((event) => this.#record(event));
  }

  async play(): Promise<Outcome> {
    const { early, steps, ballast, turnsBeforeEnd, after } = this.#case;
    await this.#connector.run();
    await this.#meet();
    if (!early) await this.#opened();
    for (const step of steps) await this.#step(step);
    // Without a turn before the end, it comes while the connection is not open yet.
    if (early && turnsBeforeEnd > 0) await this.#opened();
    for (const draft of ballast) this.#send(draft);
    for (let i = 0; i < turnsBeforeEnd; i++) await nextTurn();
    await this.#bringToEnd();
    for (const step of after) await this.#step(step);
    await this.#letEnd();
    const end = await this.#ended;
    this.#send({ pieces: [{ bytes: 1 }] });
    const peerRead = await this.#allThatPeerReads(end);
    await this.#connector.shutdown({ now: true });
    // The last RejectedMessage events, and what `flushed` came to.
    await nextTurn();
    for (const parcel of this.#given) if (!this.#fates.has(parcel)) this.#fates.set(parcel, 'sent');
    return {
      given: this.#given,
      fates: this.#fates,
      account: this.#link.outbox.account,
      end,
      peerRead,
      flushes: this.#flushes,
      violations: this.#plain.violations,
      living: this.#plain.living.size,
      errors: this.#errors,
    };
  }

  async cleanUp(): Promise<void> {
    await this.#connector.shutdown({ now: true });
    await this.#listener?.close();
    if (this.#case.role === 'accepts') await (await this.#peer)?.destroy();
    await this.#place.remove();
  }

  get #isDeaf(): boolean {
    return this.#case.peerSends === 'to a deaf connection';
  }

  get #link(): Link<Parcel> {
    const facts = Connection.factsOf(this.#connection);
    if (!(facts instanceof Link)) throw new Error('There is no connection.');
    return facts as Link<Parcel>;
  }

  /** Brings connector and peer together, so far that the connection is known. */
  async #meet(): Promise<void> {
    const { role, ending, peer } = this.#case;
    const reading = peer === 'reads';
    if (role === 'accepts') {
      const arrived = new Promise<void>((resolve) => (this.#onArrived = resolve));
      this.#peer = this.#transport.connectPeer(this.#connector.address as Endpoint, { reading });
      await arrived;
    } else {
      this.#listener = await RawListener.start((peerArrived) =>
        this.#transport.listen(this.#place.endpoint, { reading }, peerArrived),
      );
      const { address } = this.#listener;
      if (ending.by === 'nobody') await this.#listener.close();
      else this.#peer = this.#listener.accept();
      this.#connection = this.#connector.connect(address);
    }
    void this.#peer?.then((raw) => this.#instruct(raw));
  }

  /** What the peer does of itself. */
  #instruct(peer: RawPeer): void {
    void peer.ended.then(() => peer.end());
    const { peerSends } = this.#case;
    if (peerSends !== 'nothing') peer.write(Buffer.alloc(this.#isDeaf ? 1_000_000 : 1000));
    if (this.#case.peer === 'reads a bit') this.#peerReads(peer, 50_000);
  }

  #peerReads(peer: RawPeer, bytes: number): void {
    if (this.#peerReadsOn) return;
    peer.resume();
    // It may end before so much has come.
    peer.bytes(peer.bytesReceived + bytes).then(
      () => {
        if (!this.#peerReadsOn) peer.pause();
      },
      () => {},
    );
  }

  #peerReadsAll(peer: RawPeer): void {
    this.#peerReadsOn = true;
    peer.resume();
  }

  /** Resolves once the connection is open, or can never be. */
  async #opened(): Promise<void> {
    this.#finishAccept();
    await Promise.race([this.#open, this.#ended]);
  }

  #finishAccept(): void {
    try {
      this.#accept?.();
    } catch (thrown) {
      // It had ended before.
      if (!isPikeError(thrown) || thrown.code !== 'PIKE_ERR_ACCEPT_FINISHED') throw thrown;
    }
    this.#accept = undefined;
  }

  #record(event: ConnectorEvent<Parcel>): void {
    switch (event.type) {
      case 'remoteConnect':
        this.#connection = event.connection;
        this.#accept = () => {
          event.finishAccept();
          this.#onOpen();
        };
        this.#onArrived();
        break;
      case 'finishConnect':
        if (event.success) {
          this.#onOpen();
          break;
        }
        for (const parcel of event.queued) this.#settle(parcel, 'queued');
        this.#onEnd(event);
        break;
      case 'finishDisconnect':
      case 'remoteDisconnect':
        if (event.incomplete !== undefined) this.#settle(event.incomplete, 'incomplete');
        for (const parcel of event.uncertain) this.#settle(parcel, 'uncertain');
        for (const parcel of event.queued) this.#settle(parcel, 'queued');
        this.#onEnd(event);
        break;
      case 'rejectedMessage':
        this.#settle(event.message, 'rejected');
        break;
      case 'messageReceived':
    }
  }

  #settle(parcel: Parcel, fate: Fate): void {
    const former = this.#fates.get(parcel);
    if (former !== undefined) {
      throw new Error(`Parcel ${parcel.id} was ${former}, and now it is ${fate}`);
    }
    if (this.#given[parcel.id] !== parcel) throw new Error('A message that nobody has given');
    this.#fates.set(parcel, fate);
  }

  async #step(step: Step): Promise<void> {
    switch (step.do) {
      case 'send':
        for (const draft of step.drafts) this.#send(draft);
        break;
      case 'turns':
        for (let i = 0; i < step.count; i++) await nextTurn();
        break;
      case 'withdraw': {
        const parcel = this.#given[Math.floor(step.share * this.#given.length)];
        if (parcel !== undefined && this.#connector.withdraw(this.#connected, parcel)) {
          this.#settle(parcel, 'withdrawn');
        }
        break;
      }
      case 'flushed':
        this.#flush();
        break;
      case 'peer reads': {
        const peer = await Promise.race([this.#peer, nextTurn()]);
        if (peer !== undefined) this.#peerReads(peer, step.bytes);
      }
    }
  }

  get #connected(): Connection {
    if (this.#connection === undefined) throw new Error('There is no connection.');
    return this.#connection;
  }

  #send(draft: Draft): void {
    const parcel = { ...draft, id: this.#given.length };
    this.#given.push(parcel);
    try {
      this.#connector.send(this.#connected, parcel);
    } catch (thrown) {
      if (!isPikeError(thrown) || thrown.code !== 'PIKE_ERR_SHUT_DOWN') throw thrown;
      this.#given.pop();
    }
  }

  #flush(): void {
    const flush: Flush = { given: [...this.#given], result: 'pending' };
    this.#flushes.push(flush);
    this.#connector.flushed(this.#connected).then(
      () => (flush.result = 'resolved'),
      () => (flush.result = 'rejected'),
    );
  }

  #disconnect(how: Finish): void {
    this.#connector.disconnect(this.#connected, how);
  }

  async #bringToEnd(): Promise<void> {
    const { ending } = this.#case;
    switch (ending.by) {
      case 'us': {
        const how = { ...FINISH[ending.way], deadline: ending.deadline };
        if (ending.shutdown) void this.#connector.shutdown(how);
        else this.#disconnect(how);
        break;
      }
      case 'converter':
        this.#send({ pieces: [{ bytes: ending.after }, { acts: ending.way }, { bytes: 5 }] });
        break;
      case 'serializer':
        this.#send({ pieces: [{ bytes: ending.after }, { throws: true }] });
        break;
      case 'peer': {
        const peer = await this.#peer;
        if (ending.how === 'ends') peer?.end();
        else if (ending.how === 'closes') peer?.socket.destroy();
        else peer?.reset();
        break;
      }
      case 'nobody':
    }
  }

  /** Sees to it that nothing stands against the end. */
  async #letEnd(): Promise<void> {
    const { ending } = this.#case;
    this.#finishAccept();
    const endsByItself =
      ending.by === 'peer' ||
      ending.by === 'nobody' ||
      (ending.by === 'us' && (ending.way === 'now' || ending.deadline !== undefined));
    if (endsByItself && !this.#isDeaf) return;
    await Promise.race([this.#open, this.#ended]);
    if (ending.by === 'peer') {
      // It may have learnt of it by a write. If not, it never will.
      await inputHandled();
      this.#disconnect({ now: true });
      return;
    }
    const peer = await Promise.race([this.#peer, this.#ended.then(() => undefined)]);
    if (peer !== undefined) this.#peerReadsAll(peer);
    if (ending.by === 'us') return;
    // The message that was to bring the end may have been rejected.
    await this.#connector.flushed(this.#connected).catch(() => {});
    if (this.#link.state === 'open') this.#disconnect({ now: true });
  }

  async #allThatPeerReads(end: EndEvent): Promise<Buffer> {
    if (end.type === 'finishConnect' || this.#peer === undefined) return Buffer.alloc(0);
    const peer = await this.#peer;
    this.#peerReadsAll(peer);
    await peer.ended;
    return peer.received;
  }
}

const FINISH: Readonly<Record<Way, Finish>> = {
  now: { now: true },
  finishMessages: { finishMessages: true },
  finishQueues: { finishQueues: true },
};

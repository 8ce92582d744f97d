import fc from 'fast-check';
import type { Parcel, Piece } from '../support/parcel-converter.js';
import { memory } from '../support/transports/memory.js';
import { tcp } from '../support/transports/tcp.js';
import { tls } from '../support/transports/tls.js';
import { unix } from '../support/transports/unix.js';

/** The transports, by the names that a failure prints. */
export const TRANSPORTS = { TCP: tcp, TLS: tls, unix, memory };

type TransportName = keyof typeof TRANSPORTS;

/** A message without its number. */
export type Draft = Omit<Parcel, 'id'>;

/** What is done with a connection, one after the other. */
export type Step =
  | { do: 'send'; drafts: Draft[] }
  | { do: 'turns'; count: number }
  | { do: 'withdraw'; share: number }
  | { do: 'flushed' }
  | { do: 'peer reads'; bytes: number };

export type Way = 'now' | 'finishMessages' | 'finishQueues';

/** How a connection comes to its end. */
export type Ending =
  | { by: 'us'; way: Way; deadline?: number; shutdown: boolean }
  /** The converter disconnects, while it serializes a message. */
  | { by: 'converter'; way: Way; after: number }
  /** A serializer throws, after so many bytes of its message. */
  | { by: 'serializer'; after: number }
  | { by: 'peer'; how: 'ends' | 'resets' | 'closes' }
  /** Nobody listens. */
  | { by: 'nobody' };

export type PeerSends = 'nothing' | 'a little' | 'to a deaf connection';

/** One connection, from its beginning to its end. */
export interface FateCase {
  transport: TransportName;
  role: 'dials' | 'accepts';
  framed: boolean;
  chunkBytes: number;
  maxQueuedMessages: number;
  /** Whether the steps begin before the connection is open. */
  early: boolean;
  peer: 'reads' | 'reads a bit' | 'never reads';
  /**
   * What the peer sends, so that there may be unread input when the connection ends. A connection
   * that is deaf (its deserializer waits for ever) is sent so much that the system stops reading:
   * then only a failing write shows that the peer has reset.
   */
  peerSends: PeerSends;
  steps: Step[];
  /** What is given at last, so that more is given than the system takes. */
  ballast: Draft[];
  /** How many turns pass before the end. */
  turnsBeforeEnd: number;
  ending: Ending;
  /** What is done after the end was asked for. */
  after: Step[];
}

/** As fast-check's, with ordinary objects: those of a failure can be read. */
function record<T>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

const share = fc.double({ min: 0, max: 1, noNaN: true });

function pieces(chunkBytes: number): fc.Arbitrary<Piece> {
  return fc.oneof(
    { weight: 5, arbitrary: record({ bytes: fc.integer({ min: 0, max: 20 }) }) },
    { weight: 3, arbitrary: record({ bytes: fc.integer({ min: 1, max: 2 * chunkBytes }) }) },
    { weight: 1, arbitrary: record({ bytes: fc.constantFrom(chunkBytes, 2 * chunkBytes) }) },
    {
      weight: 3,
      arbitrary: record({ wait: fc.constantFrom('at once', 'later', 'later, twice') }),
    },
  );
}

function drafts(chunkBytes: number): fc.Arbitrary<Draft> {
  const piece = pieces(chunkBytes);
  return fc.oneof(
    { weight: 14, arbitrary: record({ pieces: fc.array(piece, { maxLength: 4 }) }) },
    {
      weight: 1,
      arbitrary: fc
        .array(piece, { maxLength: 2 })
        .map((some) => ({ pieces: [...some, { throws: true as const }] })),
    },
  );
}

function steps(chunkBytes: number): fc.Arbitrary<Step[]> {
  return fc.array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: record({
          do: fc.constant('send' as const),
          drafts: fc.array(drafts(chunkBytes), { minLength: 1, maxLength: 5 }),
        }),
      },
      {
        weight: 4,
        arbitrary: record({
          do: fc.constant('turns' as const),
          count: fc.integer({ min: 1, max: 4 }),
        }),
      },
      { weight: 2, arbitrary: record({ do: fc.constant('withdraw' as const), share }) },
      { weight: 1, arbitrary: record({ do: fc.constant('flushed' as const) }) },
      {
        weight: 1,
        arbitrary: record({
          do: fc.constant('peer reads' as const),
          bytes: fc.integer({ min: 1, max: 300_000 }),
        }),
      },
    ),
    { maxLength: 8 },
  );
}

/** How much the system takes from us when the peer does not read. */
const MORE_THAN_FITS = { TCP: 6_000_000, TLS: 6_000_000, unix: 600_000, memory: 200_000 };

function ballast(transport: TransportName): fc.Arbitrary<Draft[]> {
  const total = MORE_THAN_FITS[transport];
  const counts = fc.oneof(fc.integer({ min: 7, max: 30 }), fc.integer({ min: 30, max: 400 }));
  return counts.map((count) =>
    Array.from({ length: count }, () => ({
      pieces: [{ bytes: Math.ceil(total / count) }, { wait: 'at once' }, { bytes: 10 }],
    })),
  );
}

const way = fc.constantFrom<Way[]>('now', 'finishMessages', 'finishQueues');
const byUs: fc.Arbitrary<Ending> = record({
  by: fc.constant('us' as const),
  way,
  deadline: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined, freq: 2 }),
  shutdown: fc.boolean(),
});
const byPeer: fc.Arbitrary<Ending> = record({
  by: fc.constant('peer' as const),
  how: fc.constantFrom('ends' as const, 'resets' as const, 'closes' as const),
});
const withinBytes = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100_000 }));
const byConverter: fc.Arbitrary<Ending> = record({
  by: fc.constant('converter' as const),
  way,
  after: withinBytes,
});
const bySerializer: fc.Arbitrary<Ending> = record({
  by: fc.constant('serializer' as const),
  after: withinBytes,
});
const byNobody: fc.Arbitrary<Ending> = record({ by: fc.constant('nobody' as const) });

const peerSends = fc.constantFrom<PeerSends[]>(
  ...Array.from({ length: 6 }, () => 'nothing' as const),
  'a little',
  'to a deaf connection',
  'to a deaf connection',
);

/** What differs between the sorts of cases. */
interface Sort {
  transports: FateCase['transport'][];
  chunks: number[];
  /** Of what size the messages are; default: that of the chunks. */
  messagesFor?: number;
  peers: FateCase['peer'][];
  queues: number[];
  isBlocked: boolean;
  turnsBeforeEnd: { min: number; max: number };
  ending: fc.Arbitrary<Ending>;
}

function casesOf(sort: Sort): fc.Arbitrary<FateCase> {
  return record({
    transport: fc.constantFrom(...sort.transports),
    chunkBytes: fc.constantFrom(...sort.chunks),
  })
    .chain(({ transport, chunkBytes }) =>
      record<FateCase>({
        transport: fc.constant(transport),
        chunkBytes: fc.constant(chunkBytes),
        role: fc.constantFrom('dials', 'accepts'),
        framed: fc.boolean(),
        maxQueuedMessages: fc.constantFrom(...sort.queues),
        early: fc.boolean(),
        peer: fc.constantFrom(...sort.peers),
        peerSends,
        steps: steps(sort.messagesFor ?? chunkBytes),
        ballast: sort.isBlocked ? ballast(transport) : fc.constant<Draft[]>([]),
        turnsBeforeEnd: fc.integer(sort.turnsBeforeEnd),
        ending: sort.ending,
        after: steps(sort.messagesFor ?? chunkBytes),
      }),
    )
    .map(possible);
}

/** The nearest case that can be. */
function possible(drawn: FateCase): FateCase {
  const { ending, peerSends: sends } = drawn;
  return {
    ...drawn,
    // Only who dials finds nobody.
    role: ending.by === 'nobody' ? 'dials' : drawn.role,
    // Only a plain deserializer can wait.
    framed: drawn.framed && sends !== 'to a deaf connection',
  };
}

const ordinary = casesOf({
  transports: ['TCP', 'TCP', 'TCP', 'unix', 'unix', 'unix', 'memory', 'memory', 'TLS'],
  chunks: [1, 7, 64, 1000, 4096, 65_536],
  peers: ['reads', 'reads a bit', 'never reads'],
  queues: [3, 1_000_000, 1_000_000],
  isBlocked: false,
  turnsBeforeEnd: { min: 0, max: 5 },
  ending: fc.oneof(
    { weight: 6, arbitrary: byUs },
    { weight: 6, arbitrary: byPeer },
    { weight: 2, arbitrary: byConverter },
    { weight: 2, arbitrary: bySerializer },
    { weight: 1, arbitrary: byNobody },
  ),
});

/** More is given than the system takes, so that the end comes in the middle of a message. */
const blocked = casesOf({
  transports: ['TCP', 'TCP', 'unix', 'unix', 'unix', 'memory', 'memory', 'TLS'],
  chunks: [4096, 16_384, 65_536, 262_144],
  messagesFor: 4096,
  peers: ['reads a bit', 'never reads'],
  queues: [1_000_000],
  isBlocked: true,
  turnsBeforeEnd: { min: 3, max: 8 },
  ending: fc.oneof(
    { weight: 6, arbitrary: byUs },
    { weight: 6, arbitrary: byPeer },
    { weight: 1, arbitrary: byConverter },
    { weight: 1, arbitrary: bySerializer },
  ),
});

/** Connections of every sort; half of them are to be blocked when they end. */
export const fateCases: fc.Arbitrary<FateCase> = fc.oneof(
  { weight: 1, arbitrary: ordinary },
  { weight: 1, arbitrary: blocked },
);

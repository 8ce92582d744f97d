import type { Attributes, Counter, Histogram, Meter } from '@opentelemetry/api';

/** As the semantic conventions advise, in seconds. */
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** A kind of operation: how long it takes, and for events how many there are. */
export interface Measure {
  record(seconds: number, attributes: Attributes): void;
}

/** The metrics, by kind of operation. */
export interface Measures {
  readonly request: Measure;
  readonly emit: Measure;
  readonly answer: Measure;
  readonly process: Measure;
}

export function createMeasures(meter: Meter): Measures {
  const duration = (name: string, description: string): Histogram =>
    meter.createHistogram(name, {
      description,
      unit: 's',
      advice: { explicitBucketBoundaries: BOUNDARIES },
    });
  const messages = (name: string, description: string): Counter =>
    meter.createCounter(name, { description, unit: '{message}' });
  return {
    request: duration('rpc.client.call.duration', 'Duration of outgoing requests.'),
    answer: duration('rpc.server.call.duration', 'Duration of the handling of requests.'),
    emit: counted(
      duration('messaging.client.operation.duration', 'Time until events are sent.'),
      messages('messaging.client.sent.messages', 'Events that were to be sent.'),
    ),
    process: counted(
      duration('messaging.process.duration', 'Duration of the handling of events.'),
      messages('messaging.client.consumed.messages', 'Events that were received.'),
    ),
  };
}

function counted(duration: Histogram, messages: Counter): Measure {
  return {
    record(seconds, attributes) {
      duration.record(seconds, attributes);
      messages.add(1, attributes);
    },
  };
}

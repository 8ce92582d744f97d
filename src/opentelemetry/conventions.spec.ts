// Prevents: attributes that a peer can fill with whatever it likes, or that name the wrong end.
import { describe, expect, it } from '@jest/globals';
import {
  ATTR_ERROR_TYPE,
  ATTR_MESSAGING_DESTINATION_NAME,
  ATTR_MESSAGING_OPERATION_NAME,
  ATTR_MESSAGING_OPERATION_TYPE,
  ATTR_MESSAGING_SYSTEM_NAME,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_NETWORK_TRANSPORT,
  ATTR_RPC_METHOD,
  ATTR_RPC_METHOD_ORIGINAL,
  ATTR_RPC_SYSTEM_NAME,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ERROR_TYPE_VALUE_OTHER,
  MESSAGING_OPERATION_TYPE_VALUE_PROCESS,
  MESSAGING_OPERATION_TYPE_VALUE_SEND,
  NETWORK_TRANSPORT_VALUE_TCP,
} from '@opentelemetry/semantic-conventions/incubating';
import { Connection } from '../core/connection.js';
import { PikeError } from '../core/errors.js';
import {
  describeEmit,
  describeProcess,
  describeRequest,
  errorTypeOf,
  messageOf,
  outcomeOf,
  peerOf,
  serverOf,
} from './conventions.js';

const near = { host: '10.0.0.1', port: 4000 };
const far = { host: '10.0.0.2', port: 51000 };

describe('the conventions', () => {
  it('name a request by its pattern, an object as JSON', () => {
    expect(describeRequest({ cmd: 'sum' }, true)).toEqual({
      name: '{"cmd":"sum"}',
      attributes: { 'rpc.system.name': 'nestjs-pike', 'rpc.method': '{"cmd":"sum"}' },
      details: {},
    });
  });

  it('keep an unknown pattern out of names and metrics, and of a span all but its beginning', () => {
    const { name, attributes, details } = describeRequest('x'.repeat(10_000), false);
    expect(name).toBe('nestjs-pike');
    expect(attributes['rpc.method']).toBe('_OTHER');
    expect(details['rpc.method_original']).toBe('x'.repeat(256));
  });

  it('name an event by what is done to it, and its pattern, if that is known', () => {
    expect(describeEmit('order').name).toBe('emit order');
    expect(describeProcess('order', true).name).toBe('process order');
    expect(describeProcess('order', false).name).toBe('process');
    expect(describeProcess('order', false).attributes['messaging.destination.name']).toBe('_OTHER');
  });

  it('have the names that OpenTelemetry gives, none of them deprecated', () => {
    const connection = new Connection({ id: 1, inbound: true, local: near, remote: far });
    const request = describeRequest('made up', false);
    expect({ ...request.attributes, ...request.details }).toEqual({
      [ATTR_RPC_SYSTEM_NAME]: 'nestjs-pike',
      [ATTR_RPC_METHOD]: '_OTHER',
      [ATTR_RPC_METHOD_ORIGINAL]: 'made up',
    });
    const event = (operation: string, type: string): object => ({
      [ATTR_MESSAGING_SYSTEM_NAME]: 'nestjs-pike',
      [ATTR_MESSAGING_OPERATION_NAME]: operation,
      [ATTR_MESSAGING_OPERATION_TYPE]: type,
      [ATTR_MESSAGING_DESTINATION_NAME]: 'order',
    });
    expect(describeEmit('order').attributes).toEqual(
      event('emit', MESSAGING_OPERATION_TYPE_VALUE_SEND),
    );
    expect(describeProcess('order', true).attributes).toEqual(
      event('process', MESSAGING_OPERATION_TYPE_VALUE_PROCESS),
    );
    expect({ ...serverOf(connection), ...peerOf(connection) }).toEqual({
      [ATTR_SERVER_ADDRESS]: near.host,
      [ATTR_SERVER_PORT]: near.port,
      [ATTR_NETWORK_TRANSPORT]: NETWORK_TRANSPORT_VALUE_TCP,
      [ATTR_NETWORK_PEER_ADDRESS]: far.host,
      [ATTR_NETWORK_PEER_PORT]: far.port,
    });
    const failed = { connection, outcome: 'error', error: {}, duration: 0 } as const;
    expect(outcomeOf(failed)).toEqual({ [ATTR_ERROR_TYPE]: ERROR_TYPE_VALUE_OTHER });
  });

  it('take an error for what it is, and not for what a peer says it is', () => {
    expect(errorTypeOf(new PikeError('PIKE_ERR_STALLED', ''))).toBe('PIKE_ERR_STALLED');
    expect(errorTypeOf(new RangeError(''))).toBe('RangeError');
    expect(errorTypeOf(Object.assign(new Error(''), { name: 'made up' }))).toBe('Error');
    expect(errorTypeOf({ code: 'PIKE_ERR_OVERLOADED' })).toBe('PIKE_ERR_OVERLOADED');
    for (const any of [
      { code: 'made up' },
      { code: 'toString' },
      { code: 1 },
      'text',
      null,
      undefined,
    ]) {
      expect(errorTypeOf(any)).toBe('_OTHER');
    }
  });

  it('show what an error says, and of what a peer says no more than a kilobyte', () => {
    expect(messageOf(new RangeError('too far'))).toBe('too far');
    expect(messageOf({ status: 'error', message: 'not today' })).toBe('not today');
    expect(messageOf('not today')).toBe('not today');
    expect(messageOf({ message: 'x'.repeat(10_000) })).toHaveLength(1_024);
    for (const any of [null, undefined, {}, { message: {} }]) {
      expect(messageOf(any)).toEqual(expect.any(String));
    }
  });

  it('tell the server from the client, whichever end is ours', () => {
    const inbound = new Connection({ id: 1, inbound: true, local: near, remote: far });
    const outbound = new Connection({ id: 2, inbound: false, local: far, remote: near });
    for (const connection of [inbound, outbound]) {
      expect(serverOf(connection)).toEqual({ 'server.address': '10.0.0.1', 'server.port': 4000 });
    }
    expect(peerOf(inbound)).toMatchObject({ 'network.peer.port': 51000 });
    expect(peerOf(outbound)).toMatchObject({ 'network.peer.port': 4000 });
  });

  it('tell unix-domain sockets by their paths, and of a call that went nowhere nothing', () => {
    const path = '/run/pike.sock';
    const inbound = new Connection({ id: 1, inbound: true, local: { path }, remote: undefined });
    expect(serverOf(inbound)).toEqual({ 'server.address': path });
    expect(peerOf(inbound)).toEqual({ 'network.transport': 'unix' });
    expect([serverOf(undefined), peerOf(undefined)]).toEqual([{}, {}]);
  });
});

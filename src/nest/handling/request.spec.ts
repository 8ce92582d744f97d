// Prevents: a request that is answered after its end or not at all, a stream that goes on when nobody
// wants it, or one that is begun for nobody.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { RpcException } from '@nestjs/microservices';
import { NEVER, Observable, of, range, throwError } from 'rxjs';
import { eventually } from '../../../test/support/eventually.js';
import type { ReplyContent } from '../packets/packets.js';
import { INTERRUPTED } from './refusals.js';
import { INTERNAL_ERROR } from './reply-error.js';
import { Request } from './request.js';

let replies: ReplyContent[];
let reported: unknown[];
let overs: number;
let onReply: (request: Request) => void;
let request: Request;
beforeEach(() => {
  replies = [];
  reported = [];
  overs = 0;
  onReply = () => undefined;
  request = new Request(1, {
    reply: (of_, { id, ...reply }) => {
      expect(id).toBe(1);
      replies.push(reply);
      onReply(of_);
    },
    room: () => undefined,
    report: (error) => reported.push(error),
    over: () => overs++,
  });
  request.begin();
});

async function* counting(to: number, tornDown: () => void) {
  try {
    for (let i = 0; i < to; i++) yield i;
  } finally {
    tornDown();
  }
}

describe('a request', () => {
  it.each<[string, unknown, ReplyContent[]]>([
    ['a value', 7, [{ response: 7, isDisposed: true }]],
    ['nothing', undefined, [{ isDisposed: true }]],
    ['null', null, [{ response: null, isDisposed: true }]],
    ['an Observable', of(1, 2), [{ response: 1 }, { response: 2, isDisposed: true }]],
    ['an error', throwError(() => 'broken'), [{ err: 'broken', isDisposed: true }]],
    ['no error', throwError(() => undefined), [{ err: INTERNAL_ERROR, isDisposed: true }]],
  ])('whose handler has returned %s is answered and over', (_, result, expected) => {
    request.resolve(result);
    expect({ replies, overs, over: request.isOver }).toEqual({
      replies: expected,
      overs: 1,
      over: true,
    });
  });

  it('whose handler has returned a generator is answered value by value', async () => {
    let tornDown = 0;
    request.resolve(counting(3, () => tornDown++));
    await eventually(() => request.isOver);
    expect({ replies, tornDown }).toEqual({
      replies: [{ response: 0 }, { response: 1 }, { response: 2 }, { isDisposed: true }],
      tornDown: 1,
    });
  });

  it.each<[unknown, unknown, number]>([
    [new Error('a secret'), INTERNAL_ERROR, 1],
    [new RpcException('enough'), { status: 'error', message: 'enough' }, 0],
    [new RpcException({ code: 7 }), { code: 7 }, 0],
  ])(
    'that failed with %p, unseen by filters, says no more than Nest would',
    (error, err, count) => {
      request.threw(error);
      expect({ replies, reported: reported.length }).toEqual({
        replies: [{ err, isDisposed: true }],
        reported: count,
      });
    },
  );

  it('is answered once, however often it fails', () => {
    request.threw('first');
    request.failed('second');
    request.resolve(3);
    request.value(4);
    request.stop(INTERRUPTED);
    expect({ replies, overs }).toEqual({
      replies: [{ err: INTERNAL_ERROR, isDisposed: true }],
      overs: 1,
    });
  });

  it('that fails while it streams stops the stream: a processing hook may do so', () => {
    let tornDown = 0;
    request.resolve(new Observable(() => () => tornDown++));
    request.threw(new Error('in a hook'));
    expect({ tornDown, overs }).toEqual({ tornDown: 1, overs: 1 });
  });
});

describe('a request that is stopped', () => {
  it('while its handler runs begins nothing that the handler returns', () => {
    let subscribed = 0;
    request.stop();
    request.resolve(new Observable(() => void subscribed++));
    expect({ subscribed, replies, overs }).toEqual({ subscribed: 0, replies: [], overs: 1 });
  });

  it('tears its stream down, and tells why if it is told', () => {
    let tornDown = 0;
    request.resolve(new Observable(() => () => tornDown++));
    request.stop(INTERRUPTED);
    expect({ tornDown, replies }).toEqual({
      tornDown: 1,
      replies: [{ ...INTERRUPTED, isDisposed: true }],
    });
  });

  it('by its first value ends an Observable that would emit for ever in one go', () => {
    onReply = (answered) => answered.stop();
    request.resolve(range(0, Number.POSITIVE_INFINITY));
    expect({ replies, overs }).toEqual({ replies: [{ response: 0 }], overs: 1 });
  });

  it('by its first value ends a generator after it', async () => {
    let tornDown = 0;
    onReply = (answered) => answered.stop();
    request.resolve(counting(1e9, () => tornDown++));
    await eventually(() => tornDown === 1);
    expect(replies).toEqual([{ response: 0 }]);
  });
});

describe('those who wait for a request', () => {
  it('are told when it is over, also afterwards', () => {
    let told = 0;
    request.whenOver(() => told++);
    request.resolve(1);
    request.whenOver(() => told++);
    expect(told).toBe(2);
  });

  it('are told of its first value, or its end, whichever is first, once', async () => {
    let told = 0;
    request.whenGiven(() => told++);
    request.resolve(counting(3, () => undefined));
    await eventually(() => request.isOver);
    expect(told).toBe(1);
  });

  it('are not told of a stream without values before it is stopped', () => {
    let told = 0;
    request.resolve(NEVER);
    request.whenGiven(() => told++);
    expect(told).toBe(0);
    request.stop();
    expect(told).toBe(1);
  });
});

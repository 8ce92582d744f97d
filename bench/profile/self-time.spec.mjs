// Prevents: a profile that blames a function for what another has done, or counts the waiting.
import { describe, expect, it } from '@jest/globals';
import { selfTimes } from './self-time.mjs';

const ROOT = 'file:///home/me/nestjs-pike/';
const frame = (functionName, url = '', lineNumber = -1) => ({ functionName, url, lineNumber });
const FRAMES = [
  frame('(root)'),
  frame('(idle)'),
  frame('(garbage collector)'),
  frame('send', `${ROOT}dist/esm/core/link/link.js`, 9),
  frame('', `${ROOT}dist/esm/core/link/link.js`, 19),
  frame('handle', `${ROOT}node_modules/@nestjs/microservices/server.js`, 0),
  frame('subscribe', `${ROOT}node_modules/rxjs/dist/esm/Observable.js`, 0),
  frame('pack', `${ROOT}node_modules/msgpack/index.js`, 0),
  frame('turn', `${ROOT}bench/growth/sender.mjs`, 0),
  frame('onread', 'node:internal/stream_base_commons', 0),
  frame('writev'),
];

/** A profile whose samples are 1 ms apart: the functions, by their place in FRAMES, one after the other. */
function profileOf(...samples) {
  return {
    nodes: FRAMES.map((callFrame, id) => ({ id, callFrame })),
    samples: [...samples, 0],
    timeDeltas: [0, ...samples.map(() => 1000)],
  };
}

describe('the self times of a profile', () => {
  it('are told by function, most first, with their share of the time that was not idle', () => {
    const { busy, functions } = selfTimes(profileOf(3, 1, 3, 1, 4, 3), { from: 0, root: ROOT });
    expect(busy).toBeCloseTo(4);
    const place = 'dist/esm/core/link/link.js';
    expect(functions).toEqual([
      { name: 'send', place: `${place}:10`, group: 'ours', ms: 3, share: 0.75 },
      { name: '(anonymous)', place: `${place}:20`, group: 'ours', ms: 1, share: 0.25 },
    ]);
  });

  it('belong to us, to Nest, to other packages, to the bench, to Node, or to the collector', () => {
    const all = FRAMES.map((_, id) => id);
    const { groups } = selfTimes(profileOf(...all), { from: 0, root: ROOT });
    expect(Object.fromEntries(groups.map(({ group, ms }) => [group, ms]))).toEqual({
      ours: 2,
      'Nest and RxJS': 2,
      Node: 2,
      GC: 1,
      'other packages': 1,
      'the bench': 1,
    });
  });

  it('leave out what came before the time that is looked at', () => {
    const { busy, functions } = selfTimes(profileOf(7, 7, 7, 3, 3), { from: 3, root: ROOT });
    expect(busy).toBeCloseTo(2);
    expect(functions.map(({ name }) => name)).toEqual(['send']);
  });
});

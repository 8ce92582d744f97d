/** To whom a function belongs, by where its code is; the first that fits. */
const GROUPS = [
  ['GC', ({ functionName }) => functionName === '(garbage collector)'],
  ['ours', ({ url }, root) => url.startsWith(`${root}dist/`)],
  ['Nest and RxJS', ({ url }) => /\/node_modules\/(@nestjs|rxjs|reflect-metadata)\//.test(url)],
  ['other packages', ({ url }) => url.includes('/node_modules/')],
  ['the bench', ({ url }, root) => url.startsWith(`${root}bench/`)],
];

/** Native code has no address, and is Node's. */
const groupOf = (frame, root) => GROUPS.find(([, fits]) => fits(frame, root))?.[0] ?? 'Node';

/** What V8 calls time in which there was nothing to do, and what has called everything. */
const NOT_BUSY = new Set(['(idle)', '(root)']);

function placeOf({ url, lineNumber }, root) {
  if (url === '') return '';
  const path = url.startsWith(root) ? url.slice(root.length) : url;
  return `${path}:${lineNumber + 1}`;
}

/**
 * What a profile of V8 (`node --cpu-prof`) says about self time: the time in a function without what it calls.
 * @param profile the parsed content of a `.cpuprofile`
 * @param from what was sampled sooner is left out, in ms from the beginning
 * @param root the address of the folder to which the places of functions are relative
 * @returns `busy`, the time that was not idle, in ms; and by function and by group, most first, `{ name, place,
 * group, ms, share }`, the share that of `busy`
 */
export function selfTimes(profile, { from, root }) {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const functions = new Map();
  const { samples, timeDeltas } = profile;
  let [at, busy] = [timeDeltas[0] / 1000, 0];
  for (let i = 0; i + 1 < samples.length; i++) {
    const ms = timeDeltas[i + 1] / 1000; // until the next sample
    const frame = frames.get(samples[i]);
    const counts = at >= from && !NOT_BUSY.has(frame.functionName);
    at += ms;
    if (!counts) continue;
    busy += ms;
    const name = frame.functionName || '(anonymous)';
    const place = placeOf(frame, root);
    const key = `${name} ${place}`;
    let found = functions.get(key);
    if (!found) functions.set(key, (found = { name, place, group: groupOf(frame, root), ms: 0 }));
    found.ms += ms;
  }
  return { busy, functions: ranked(functions.values(), busy), groups: byGroup(functions, busy) };
}

const ranked = (entries, busy) =>
  Array.from(entries, (each) => ({ ...each, share: each.ms / busy })).sort((a, b) => b.ms - a.ms);

function byGroup(functions, busy) {
  const groups = new Map();
  for (const { group, ms } of functions.values()) groups.set(group, (groups.get(group) ?? 0) + ms);
  return ranked(
    Array.from(groups, ([group, ms]) => ({ group, ms })),
    busy,
  );
}

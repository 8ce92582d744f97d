import type { Delivery } from '../../core/errors.js';
import type { Leftovers } from '../../core/events.js';

/** What became of a message that was not certainly sent, as in Pike's events. */
export type LeftoverFate = 'queued' | 'incomplete' | 'uncertain';

/**
 * What became of messages when their connection ended.
 * @param awaited the messages, in the order in which they were given; `undefined`: not given, or
 * come back
 * @returns for each of `awaited` that was not certainly sent: its fate
 */
export function leftoverFates<T, A extends { readonly message: T | undefined }>(
  awaited: readonly A[],
  { incomplete, uncertain, queued }: Leftovers<T>,
): Map<A, LeftoverFate> {
  const leftovers: [message: T, fate: LeftoverFate][] = [];
  if (incomplete !== undefined) leftovers.push([incomplete, 'incomplete']);
  for (const message of uncertain) leftovers.push([message, 'uncertain']);
  for (const message of queued) leftovers.push([message, 'queued']);
  // Leftovers are the end of what was given, in the same order: matched from the end, equal
  // messages (numbers, say) find the right request.
  const fates = new Map<A, LeftoverFate>();
  for (const each of awaited) {
    if (each.message === undefined) fates.set(each, 'queued');
  }
  const messages = new Set(awaited.map(({ message }) => message));
  let last = awaited.length - 1;
  for (const [message, fate] of leftovers.reverse()) {
    // Nobody waits for it: a cancellation, say. There may be many, and each would be looked for in vain.
    if (!messages.has(message)) continue;
    let index = last;
    while (index >= 0 && !Object.is((awaited[index] as A).message, message)) index--;
    if (index < 0) continue;
    fates.set(awaited[index] as A, fate);
    last = index - 1;
  }
  return fates;
}

/**
 * Whether a peer can have acted on a message.
 * @param fate `undefined` if it was certainly sent
 * @param atomic whether a message of which a part was sent is as good as unsent
 */
export function deliveryOf(fate: LeftoverFate | undefined, atomic: boolean): Delivery {
  return fate === 'queued' || (fate === 'incomplete' && atomic) ? 'unsent' : 'in-doubt';
}

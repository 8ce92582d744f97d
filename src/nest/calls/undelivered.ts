import type { Delivery } from '../../core/errors.js';
import type { Leftovers } from '../../core/events.js';

/**
 * What became of messages when their connection ended.
 * @param awaited the messages, in the order in which they were given; `undefined`: not given yet
 * @param atomic whether a message of which a part was sent is as good as unsent
 * @returns for each of `awaited` that was not certainly sent: whether the peer may have it
 */
export function undelivered<T, A extends { readonly message: T | undefined }>(
  awaited: readonly A[],
  leftovers: Leftovers<T>,
  atomic: boolean,
): Map<A, Delivery> {
  const { incomplete, uncertain, queued } = leftovers;
  const fates: [message: T, delivery: Delivery][] = [];
  if (incomplete !== undefined) fates.push([incomplete, atomic ? 'unsent' : 'in-doubt']);
  for (const message of uncertain) fates.push([message, 'in-doubt']);
  for (const message of queued) fates.push([message, 'unsent']);
  // Leftovers are the end of what was given, in the same order: matched from the end, equal
  // messages (numbers, say) find the right request.
  const result = new Map<A, Delivery>();
  for (const each of awaited) {
    // A serializer still worked on it.
    if (each.message === undefined) result.set(each, 'unsent');
  }
  let last = awaited.length - 1;
  for (const [message, delivery] of fates.reverse()) {
    let index = last;
    while (index >= 0 && !Object.is((awaited[index] as A).message, message)) index--;
    if (index < 0) continue;
    result.set(awaited[index] as A, delivery);
    last = index - 1;
  }
  return result;
}

/**
 * Measures peers in turn, round by round, so that a machine that slows down slows all of them.
 * @param peers what `measure` is given, one after the other
 * @param measure resolves with the figures of one round, by name
 * @returns for each peer, the figures of all rounds by name
 */
export async function compare(peers, rounds, measure) {
  const results = new Map(peers.map((peer) => [peer, {}]));
  for (let round = 0; round < rounds; round++) {
    for (const peer of peers) {
      const figures = await measure(peer);
      const all = results.get(peer);
      for (const [name, figure] of Object.entries(figures)) (all[name] ??= []).push(figure);
    }
  }
  return results;
}

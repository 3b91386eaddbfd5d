/** Which mutants are tried: the same ones for the same sources and seed, in equal shares of the groups. */
import { groupOf, groups } from './groups.ts';
import type { Mutant } from './mutants.ts';

/**
 * The first `count` mutants of the order that the seed gives: groups take turns, and within a group every mutant is
 * as likely as any other. What one group has changes nothing in the order of another.
 */
export function sampleMutants(all: readonly Mutant[], count: number, seed: number): Mutant[] {
  const queues = Map.groupBy(all, ({ file }) => groupOf(file) ?? 'others');
  const shuffled = [...queues]
    .map(([name, mutants]) => ({ place: groups.findIndex((group) => group.name === name), mutants }))
    .sort((a, b) => a.place - b.place)
    .map(({ place, mutants }) => shuffle(mutants, seed + 1000 * place));
  const sample: Mutant[] = [];
  for (let turn = 0; sample.length < count && sample.length < all.length; turn++) {
    for (const queue of shuffled) {
      if (turn < queue.length && sample.length < count) sample.push(queue[turn]!);
    }
  }
  return sample;
}

/** Fisher and Yates' shuffle, by a 32-bit mixer over a counter. */
function shuffle<T>(values: readonly T[], seed: number): T[] {
  const result = [...values];
  let state = Math.imul(seed + 1, 0x9e3779b9) >>> 0;
  const next = (below: number) => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return Math.floor((((z ^ (z >>> 15)) >>> 0) / 2 ** 32) * below);
  };
  for (let i = result.length - 1; i > 0; i--) {
    const j = next(i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

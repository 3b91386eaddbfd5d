/** Draws of one fuzzing trial: small helpers over a seeded stream. */
import { uniforms } from '../../../test/helpers/arbitraries.ts';

export interface Random {
  /** A whole number from 0 to `below` - 1; 0 where `below` is 0. */
  int(below: number): number;
  pick<T>(choices: readonly T[]): T;
  chance(probability: number): boolean;
}

export function randomOf(seed: number): Random {
  const next = uniforms(seed);
  const int = (below: number) => Math.floor(next() * below);
  return { int, pick: (choices) => choices[int(choices.length)]!, chance: (p) => next() < p };
}

/** Whole numbers at which readers go wrong: zero, powers of two and their neighbours, what overflows. */
export const EDGE_NUMBERS: readonly number[] = [
  0,
  1,
  2,
  3,
  7,
  8,
  9,
  63,
  127,
  128,
  255,
  256,
  511,
  512,
  65_535,
  65_536,
  2 ** 24,
  2 ** 30,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 33,
  2 ** 52,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 62,
  2 ** 63,
  2 ** 64,
];

/** Names that are more than names to a careless reader. */
export const EDGE_NAMES: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '__metadata__',
  '',
  ' ',
  '.',
  '..',
  '../../etc/passwd',
  'a/b',
  'a\\b',
  'a\u0000b',
  '\ud800',
  '\u202e',
  'ｆｕｌｌ',
  'x'.repeat(300),
];

/** Answers and what scikit-learn says about them; made by test/fixtures/sklearn/make_reports.py. */
import { readFileSync } from 'node:fs';

type Scores = [precision: number, recall: number, f1: number];

export interface Case {
  readonly name: string;
  readonly classes: number;
  readonly digits: number;
  readonly classNames: readonly string[];
  readonly labels: readonly number[];
  /** Multiples of 1/scale. */
  readonly scores: readonly (readonly number[])[];
  readonly sampleWeight: readonly number[] | null;
  readonly confusion: readonly (readonly number[])[];
  readonly byClass: readonly [...Scores, support: number][];
  readonly averages: Readonly<Record<'micro' | 'macro' | 'weighted', Scores>>;
  readonly text: string;
  readonly topK: readonly (number | null)[];
  readonly bins: number;
  readonly binCounts: readonly number[];
  /** Of the filled bins only. */
  readonly binAccuracy: readonly number[];
  readonly binConfidence: readonly number[];
  readonly expectedError: number;
}

const file = new URL('../../fixtures/sklearn/reports.json', import.meta.url);
const { scale, cases } = JSON.parse(readFileSync(file, 'utf8')) as { scale: number; cases: readonly Case[] };

export const CASES = cases;

/** The scores as a model's output. */
export function predictionOf({ scores, classes }: Case) {
  return {
    shape: [scores.length, classes],
    data: Float32Array.from(scores.flat(), (units) => units / scale),
  };
}

/** The options that a case stands for. */
export function optionsOf({ classNames, sampleWeight }: Case) {
  return { classNames, ...(sampleWeight && { sampleWeight }) };
}

/** Both sum a few dozen doubles, maybe in another order: each addition may round by half a unit in the last place. */
export function assertClose(actual: number, expected: number, additions: number, what: string): void {
  const bound = additions * 2 ** -53 * Math.max(1, Math.abs(expected));
  if (Math.abs(actual - expected) <= bound) return;
  throw new Error(`${what}: expected ${expected}, got ${actual}`);
}

/** What a step has left for the main thread: losses, hits, penalties, norms of gradients. */
import type { Heap } from '../kernels/kernel.ts';
import type { PlannedBuffer, TensorRef } from '../layers/layer.ts';
import type { PlannedHead } from '../model/heads.ts';
import type { PlacedProgram } from '../model/place.ts';
import type { Plan } from '../model/plan.ts';
import { elementCount } from '../tensor/shape.ts';

/** What an output's loss has left. */
export interface OutputResults {
  /** f64 a sample, without the output's weight. */
  readonly losses: Float64Array;
  /** Right answers, out of `answers` a sample. */
  readonly correct: Int32Array;
  readonly answers: number;
  /** Mean error of each sample, where the loss tells that instead of hits. */
  readonly errors: Float64Array | undefined;
  /** What its loss saw, [count, ...shape], where the plan keeps it. */
  readonly seen: Float32Array | undefined;
}

export interface StepResults {
  /** Of all outputs that are trained, weighted and added up, in the order of the samples; without penalties. */
  readonly losses: Float64Array;
  /** Output by output; of those with losses. */
  readonly outputs: readonly OutputResults[];
  /** What regularizers add to the batch's mean loss; 0 in evaluation. */
  readonly penalty: number;
  /** Sums of squares of the reduced gradients, before clipping, by parameter; undefined where nobody needed them. */
  readonly squares: ReadonlyMap<string, number> | undefined;
}

/** Reads a step's results; arrays are valid until the next step. */
export function readResults(plan: Plan, placed: PlacedProgram, heap: Heap, count: number): StepResults {
  const doubles = ({ buffer, length }: { readonly buffer: PlannedBuffer; readonly length: number }) => {
    const at = placed.addressOf(buffer) / 8;
    return heap.f64.subarray(at, at + length);
  };
  const seenOf = ({ shape, origin }: TensorRef) => {
    const at = placed.addressOf(origin.buffer) / 4;
    return heap.f32.subarray(at, at + count * elementCount(shape));
  };
  const outputs = plan.heads.map((head): OutputResults => {
    const correct = placed.addressOf(head.correct) / 4;
    return {
      losses: doubles({ buffer: head.losses, length: count }),
      correct: heap.i32.subarray(correct, correct + count),
      answers: head.answers,
      errors: head.regression ? doubles({ buffer: head.errors, length: count }) : undefined,
      seen: head.kept && seenOf(head.kept),
    };
  });
  let { losses } = outputs[0]!;
  const [{ weight }] = plan.heads as [PlannedHead];
  if (weight !== 1) losses = losses.map((loss) => loss * weight);
  outputs.slice(1).forEach(({ losses: own }, i) => {
    losses = losses.map((loss, at) => loss + own[at]! * plan.heads[i + 1]!.weight);
  });
  const { penalties, squares } = plan;
  return {
    losses,
    outputs,
    penalty:
      penalties === undefined
        ? 0
        : doubles({ buffer: penalties.buffer, length: penalties.factors.length }).reduce(
            (sum, value, i) => sum + penalties.factors[i]! * value,
            0,
          ),
    squares:
      squares &&
      sumByName(doubles({ buffer: squares.buffer, length: squares.subjects.length }), squares.subjects),
  };
}

/** Adds up values of one name, in order. */
function sumByName(values: Float64Array, names: readonly string[]): Map<string, number> {
  const sums = new Map<string, number>();
  names.forEach((name, i) => {
    sums.set(name, (sums.get(name) ?? 0) + values[i]!);
  });
  return sums;
}

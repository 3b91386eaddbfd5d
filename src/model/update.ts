/**
 * The end of a training step, cut by ranges of parameters:
 *
 *   reduce    sum of the shards' gradients in a fixed tree, and penalties on weights (penalty.ts); whether losses and
 *             gradients are finite; sums of squares
 *   clip      factors that hold norms within their limits (clip.ts)
 *   update    clipping and the optimizer, in place, and the moving average of the weights
 *
 * The verdicts of 'reduce' are all in before anything is written that outlives the step: where one is bad, the phases
 * from 'update' on are not run, and the weights stay those of before the step.
 */
import type { AverageWeightsSpec } from '../kernels/average-weights.ts';
import type { CheckFiniteSpec } from '../kernels/check-finite.ts';
import type { ReduceShardsSpec } from '../kernels/reduce-shards.ts';
import type { BufferRef, Operand, PlannedBuffer, PlannedCall } from '../layers/layer.ts';
import type { Regularizer } from '../layers/regularizers.ts';
import { plainBuffer, refTo } from './buffers.ts';
import { clipPhase, measureSquares, type Squares } from './clip.ts';
import { AVERAGE, type OptimizerPlan, specOf, stateTensors } from './contracts.ts';
import type { Emission } from './emit.ts';
import { type Graph, graphParameters } from './graph.ts';
import { addPenalties, type Penalties } from './penalty.ts';

/** A step's verdicts: i32 words, 1 where values are not finite. All must be 0 before the update may begin. */
export interface Verdicts {
  readonly buffer: PlannedBuffer;
  /** By word: a buffer of losses, or the full name of the parameter whose gradient it is about. */
  readonly subjects: readonly string[];
}

export interface UpdatePhases {
  readonly reduce: readonly (readonly PlannedCall[])[];
  readonly clip: readonly (readonly PlannedCall[])[];
  readonly update: readonly (readonly PlannedCall[])[];
  /** Undefined without an optimizer. */
  readonly verdicts: Verdicts | undefined;
  /** Where gradients are clipped by norm, or norms were asked for. */
  readonly squares: Squares | undefined;
  /** Of the weights before the step, where there are any. */
  readonly penalties: Penalties | undefined;
  /** Reduced gradients by parameter. */
  readonly gradients: ReadonlyMap<string, BufferRef>;
}

/** Elements of a range: it stays in the first-level cache with its state. */
export const RANGE = 4096;

/** The parameter itself among its state tensors. */
const WEIGHTS = 'weights';

/** A range of one parameter. */
interface Range {
  readonly name: string;
  readonly elements: number;
  readonly from: number;
  readonly length: number;
  readonly total: PlannedBuffer;
  /** The shards' gradients, where they are to be summed. */
  readonly partial: PlannedBuffer | undefined;
  readonly regularizer: Regularizer | undefined;
}

/** Plans the phases. `losses`: f64 a sample, of each output that is trained; `norms`: whether to measure them. */
export function updatePhases(
  graph: Graph,
  emission: Emission,
  layout: Pick<ReduceShardsSpec, 'shards' | 'shardSize' | 'shardStride'>,
  optimizer: OptimizerPlan | undefined,
  buffers: { readonly hyper: PlannedBuffer; readonly losses: readonly PlannedBuffer[] },
  norms = false,
): UpdatePhases {
  const gradients = new Map<string, BufferRef>();
  const ranges = rangesOf(graph, emission, gradients);
  const summing: ReduceShardsSpec = { kind: 'reduceShards', ...layout };
  const reduce = ranges.map(({ partial, total, from, length }): PlannedCall[] => {
    if (partial === undefined) return [];
    return [{ spec: summing, operands: [refTo(partial, from), refTo(total, from), length, 'count'] }];
  });
  const penalties = addPenalties(ranges, reduce, emission.parameter);
  const clip = optimizer?.clip;
  const measured = norms || (clip !== undefined && clip.by !== 'value');
  const squares = measured ? measureSquares(ranges, reduce) : undefined;
  if (optimizer === undefined) {
    const some = reduce.filter((calls) => calls.length > 0);
    return { reduce: some, clip: [], update: [], verdicts: undefined, squares, penalties, gradients };
  }
  const { losses } = buffers;
  const subjects = [...losses.map(({ name }) => name), ...ranges.map(({ name }) => name)];
  const buffer = plainBuffer('verdicts', 'program', { fixedBytes: 4 * subjects.length });
  const judge = (type: CheckFiniteSpec['type'], values: BufferRef, word: number, length: Operand) => {
    const spec: CheckFiniteSpec = { kind: 'checkFinite', type };
    return { spec, operands: [values, refTo(buffer, word), length] } satisfies PlannedCall;
  };
  ranges.forEach(({ total, from, length }, i) => {
    reduce[i]!.push(judge('f32', refTo(total, from), losses.length + i, length));
  });
  const clipping = clipPhase(clip, squares);
  const states = new Map<string, ReadonlyMap<string, PlannedBuffer>>();
  const stateOf = ({ name, elements }: Range) => {
    const slots = stateTensors(optimizer).map((slot) => [slot, slotBuffer(name, slot, elements)] as const);
    const state = states.get(name) ?? new Map([[WEIGHTS, emission.parameter(name)], ...slots]);
    states.set(name, state);
    return state;
  };
  const update = ranges.map((range): PlannedCall[] => {
    const calls = clipping.callsFor(range);
    calls.push(...stepCalls(range, stateOf(range), optimizer, buffers.hyper));
    return calls;
  });
  const judgeLosses = losses.map((each, i) => judge('f64', refTo(each), i, 'count'));
  const phases = { reduce: [judgeLosses, ...reduce], clip: clipping.units, update };
  return { ...phases, verdicts: { buffer, subjects }, squares, penalties, gradients };
}

/** The optimizer on a range, and the moving average behind it. */
function stepCalls(
  { name, total, from, length }: Range,
  state: ReadonlyMap<string, PlannedBuffer>,
  optimizer: OptimizerPlan,
  hyper: PlannedBuffer,
): PlannedCall[] {
  const part = (key: string) => refTo(state.get(key)!, from);
  const operands = [part(WEIGHTS), refTo(total, from), ...optimizer.slots.map(part), refTo(hyper), length];
  const calls: PlannedCall[] = [{ spec: specOf(optimizer, name), operands }];
  if (optimizer.average !== undefined) {
    const spec: AverageWeightsSpec = { kind: 'averageWeights' };
    calls.push({ spec, operands: [part(AVERAGE), part(WEIGHTS), refTo(hyper), length] });
  }
  return calls;
}

function rangesOf(graph: Graph, emission: Emission, gradients: Map<string, BufferRef>): Range[] {
  const ranges: Range[] = [];
  for (const { name, elements, spec } of graphParameters(graph)) {
    const partial = emission.gradients.get(name)?.buffer;
    if (partial === undefined) continue;
    const sharded = partial.scope === 'shard';
    const total = sharded ? plainBuffer(`reduced/${name}`, 'program', { fixedBytes: elements * 4 }) : partial;
    gradients.set(name, refTo(total));
    for (let from = 0; from < elements; from += RANGE) {
      const length = Math.min(RANGE, elements - from);
      const shards = sharded ? partial : undefined;
      ranges.push({ name, elements, from, length, total, partial: shards, regularizer: spec.regularizer });
    }
  }
  return ranges;
}

/** The optimizer's state tensor of a parameter. */
export function slotBuffer(parameter: string, slot: string, elements: number): PlannedBuffer {
  return plainBuffer(`optimizer/${slot}/${parameter}`, 'model', { fixedBytes: elements * 4 });
}

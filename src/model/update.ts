/**
 * The end of a training step, cut by ranges of parameters:
 *
 *   reduce    sum of the shards' gradients in a fixed tree; whether losses and gradients are finite
 *   update    the optimizer, in place
 *
 * The verdicts of 'reduce' are all in before anything is written that outlives the step: where one is bad, the phases
 * from 'update' on are not run, and the weights stay those of before the step.
 */
import type { CheckFiniteSpec } from '../kernels/check-finite.ts';
import type { ReduceShardsSpec } from '../kernels/reduce-shards.ts';
import type { BufferRef, Operand, PlannedBuffer, PlannedCall } from '../layers/layer.ts';
import { plainBuffer, refTo } from './buffers.ts';
import type { OptimizerPlan } from './contracts.ts';
import type { Emission } from './emit.ts';
import { type Graph, graphParameters } from './graph.ts';

/** A step's verdicts: i32 words, 1 where values are not finite. All must be 0 before the update may begin. */
export interface Verdicts {
  readonly buffer: PlannedBuffer;
  /** By word: a buffer of losses, or the full name of the parameter whose gradient it is about. */
  readonly subjects: readonly string[];
}

export interface UpdatePhases {
  readonly reduce: readonly (readonly PlannedCall[])[];
  readonly update: readonly (readonly PlannedCall[])[];
  /** Undefined without an optimizer. */
  readonly verdicts: Verdicts | undefined;
  /** Reduced gradients by parameter. */
  readonly gradients: ReadonlyMap<string, BufferRef>;
}

/** Elements of a range: it stays in the first-level cache with its state. */
const RANGE = 4096;

/** A range of one parameter. */
interface Range {
  readonly name: string;
  readonly elements: number;
  readonly from: number;
  readonly length: number;
  readonly total: PlannedBuffer;
  /** The shards' gradients, where they are to be summed. */
  readonly partial: PlannedBuffer | undefined;
}

/** Plans both phases. `losses`: f64 a sample, of each output that is trained. */
export function updatePhases(
  graph: Graph,
  emission: Emission,
  layout: Pick<ReduceShardsSpec, 'shards' | 'shardSize' | 'shardStride'>,
  optimizer: OptimizerPlan | undefined,
  buffers: { readonly hyper: PlannedBuffer; readonly losses: readonly PlannedBuffer[] },
): UpdatePhases {
  const gradients = new Map<string, BufferRef>();
  const ranges = rangesOf(graph, emission, gradients);
  const summing: ReduceShardsSpec = { kind: 'reduceShards', ...layout };
  const reduce = ranges.map(({ partial, total, from, length }): PlannedCall[] => {
    if (partial === undefined) return [];
    return [{ spec: summing, operands: [refTo(partial, from), refTo(total, from), length, 'count'] }];
  });
  if (optimizer === undefined) {
    return { reduce: reduce.filter((calls) => calls.length > 0), update: [], verdicts: undefined, gradients };
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
  const states = new Map<string, readonly PlannedBuffer[]>();
  for (const { name, elements } of ranges) {
    if (states.has(name)) continue;
    const slots = optimizer.slots.map((slot) => slotBuffer(name, slot, elements));
    states.set(name, [emission.parameter(name), ...slots]);
  }
  const update = ranges.map(({ name, total, from, length }): PlannedCall[] => {
    const [parameter, ...state] = states.get(name)!.map((each) => refTo(each, from));
    const operands = [parameter!, refTo(total, from), ...state, refTo(buffers.hyper), length];
    return [{ spec: optimizer.spec, operands }];
  });
  const judgeLosses = losses.map((each, i) => judge('f64', refTo(each), i, 'count'));
  return { reduce: [judgeLosses, ...reduce], update, verdicts: { buffer, subjects }, gradients };
}

function rangesOf(graph: Graph, emission: Emission, gradients: Map<string, BufferRef>): Range[] {
  const ranges: Range[] = [];
  for (const { name, elements } of graphParameters(graph)) {
    const partial = emission.gradients.get(name)?.buffer;
    if (partial === undefined) continue;
    const sharded = partial.scope === 'shard';
    const total = sharded ? plainBuffer(`reduced/${name}`, 'program', { fixedBytes: elements * 4 }) : partial;
    gradients.set(name, refTo(total));
    for (let from = 0; from < elements; from += RANGE) {
      const length = Math.min(RANGE, elements - from);
      ranges.push({ name, elements, from, length, total, partial: sharded ? partial : undefined });
    }
  }
  return ranges;
}

/** The optimizer's state tensor of a parameter. */
export function slotBuffer(parameter: string, slot: string, elements: number): PlannedBuffer {
  return plainBuffer(`optimizer/${slot}/${parameter}`, 'model', { fixedBytes: elements * 4 });
}

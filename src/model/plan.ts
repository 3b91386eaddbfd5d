/**
 * Turns a graph into phases of kernel calls, before anything has an address:
 *
 *   shards    for each shard of samples: input -> forward -> loss -> backward
 *   batch     weight gradients over the whole batch (dense layers), cut by rows
 *             (both several times where layers want all shards to meet: batch normalisation)
 *   reduce    by ranges of parameters: sum of the shards' gradients; are they finite?
 *   clip      what gradients are multiplied by, where their norms are limited
 *   update    by ranges of parameters: the optimizer, in place; only where everything is finite
 *   prepare   copies of the new weights in the kernels' arrangement
 *
 * Which units exist follows from shapes alone, never from the number of workers.
 */

import type { CopyViewSpec } from '../kernels/copy-view.ts';
import type { Numerics } from '../layers/conv-algorithm.ts';
import type { BufferRef, PlannedBuffer, PlannedCall, TensorRef } from '../layers/layer.ts';
import { elementCount } from '../tensor/shape.ts';
import { alignBytes, plainBuffer, tensorBuffer } from './buffers.ts';
import type { Squares } from './clip.ts';
import {
  HYPER_LENGTH,
  type InputFormat,
  type LossPlan,
  type OptimizerPlan,
  type TargetFormat,
} from './contracts.ts';
import { type Emission, emitBackward, emitForward, startEmission } from './emit.ts';
import type { Graph } from './graph.ts';
import { emitCopy, emitLosses, forwardNodes, type PlannedHead, planHead, targetBuffers } from './heads.ts';
import { emitInput, type InputBuffers } from './input.ts';
import type { Penalties } from './penalty.ts';
import { splitCall } from './split.ts';
import { cutStretches } from './stretches.ts';
import { updatePhases, type Verdicts } from './update.ts';

/** What a plan depends on; programs are cached by it. */
export interface PlanOptions {
  readonly mode: 'train' | 'evaluate' | 'predict';
  /** Samples at most. */
  readonly batchSize: number;
  readonly shardSize: number;
  /** Of the first input. */
  readonly input: InputFormat;
  /** Of the others, in their order. */
  readonly otherInputs?: readonly InputFormat[];
  /** What all outputs learn, or the first one with `otherTargets`. */
  readonly targets?: TargetFormat;
  /** What each of the other outputs learns. */
  readonly otherTargets?: readonly TargetFormat[];
  /** Of all outputs, or of the first one with `otherLosses`. */
  readonly loss?: LossPlan;
  /** Of each of the other outputs; evaluation is then that of all outputs. */
  readonly otherLosses?: readonly LossPlan[];
  /** Classes whose weights the loss is given, where pixels have classes of their own. */
  readonly classWeights?: number;
  /** In training: what each output's loss counts; default 1 for every output. */
  readonly lossWeights?: readonly number[];
  readonly optimizer?: OptimizerPlan;
  /** Places of the outputs with losses that the main thread reads, too, as their losses see them. */
  readonly keptOutputs?: readonly number[];
  /** Whether the norms of gradients are measured (`squares`); default false. */
  readonly gradientNorms?: boolean;
  /** Seed of the layers' random streams. */
  readonly seed: number;
  /** Which convolution algorithms may be used; default fast. */
  readonly numerics?: Numerics;
}

/** A unit; `shard` is its index, or -1 for units over the whole batch. */
export interface PlannedUnit {
  readonly shard: number;
  readonly calls: readonly PlannedCall[];
}

export interface PlannedPhase {
  readonly name: string;
  readonly units: readonly PlannedUnit[];
}

/** Phases and the buffers by which the main thread speaks with them. */
export interface Plan {
  readonly options: PlanOptions;
  readonly shards: number;
  readonly phases: readonly PlannedPhase[];
  /** Bytes from one shard's parameter gradients to the next one's. */
  readonly shardStrideBytes: number;
  /** The first of `inputs`. */
  readonly input: InputBuffers;
  readonly inputs: readonly InputBuffers[];
  /** The first of `allTargets`. */
  readonly targets: PlannedBuffer;
  readonly allTargets: readonly PlannedBuffer[];
  /** The first head's, as `losses` and `correct`. */
  readonly sampleScale: PlannedBuffer;
  readonly step: PlannedBuffer;
  readonly hyper: PlannedBuffer;
  readonly losses: PlannedBuffer;
  readonly correct: PlannedBuffer;
  /** f32 a class; see PlanOptions. */
  readonly classWeights: PlannedBuffer | undefined;
  /** The outputs with losses; in prediction, the first, with none. */
  readonly heads: readonly PlannedHead[];
  /** The model's outputs, each in a buffer of its own in prediction: [samples, ...shape], row-major. */
  readonly outputs: readonly TensorRef[];
  /** The first of them; with a loss that takes logits, what the loss sees. */
  readonly output: TensorRef;
  /** Reduced gradients by parameter. */
  readonly gradients: ReadonlyMap<string, BufferRef>;
  /** Whether the step's values are finite; undefined where nothing is updated. */
  readonly verdicts: Verdicts | undefined;
  /** Sums of squares of the reduced gradients, where something needs them. */
  readonly squares: Squares | undefined;
  /** What regularizers add to the loss. */
  readonly penalties: Penalties | undefined;
  /**
   * The first phase that writes what outlives the step (parameters, optimizer state): only it and those after it may.
   * A step is replayed only where none of them has begun. `phases.length` where there is none.
   */
  readonly updateFrom: number;
  /** Remakes the prepared copies that the program reads, after weights were set from outside. */
  readonly prepare: PlannedPhase;
}

const MAX_SHARDS = 16;

/** Samples of a shard: at most 16 shards, of 4 samples and more where the batch allows four of them. */
export function shardSizeFor(batchSize: number): number {
  return Math.max(Math.ceil(batchSize / MAX_SHARDS), Math.min(4, Math.ceil(batchSize / 4)));
}

/** Plans a program. Losses and optimizers come as contracts.ts says. */
export function planProgram(graph: Graph, options: PlanOptions): Plan {
  const { batchSize, shardSize, mode } = options;
  const shards = Math.ceil(batchSize / shardSize);
  const training = mode === 'train';
  const split = isSplit(graph, options);
  const { seed, numerics = 'fast' } = options;
  const emission = startEmission(graph, training ? 'train' : 'infer', { seed, numerics, batchSize }, split);
  const targets = targetBuffers(options);
  const hyper = plainBuffer('hyper', 'slot', { fixedBytes: 4 * HYPER_LENGTH });
  const weights = options.classWeights;
  const classWeights =
    weights === undefined ? undefined : plainBuffer('classWeights', 'slot', { fixedBytes: 4 * weights });
  const inputs = inputFormatsOf(options).map((format, i) => emitInput(emission, format, i));
  const { nodes, results } = forwardNodes(graph, options);
  for (const node of nodes) emitForward(emission, node);
  const outputs = mode === 'predict' ? emitOutputs(emission) : results.map((at) => emission.tensor(at));
  const first = planHead(graph, options, targets, 0, outputs[0]!);
  const others = options.loss === undefined ? [] : outputs.slice(1);
  const heads = [first, ...others.map((seen, i) => planHead(graph, options, targets, i + 1, seen))];
  if (options.loss !== undefined) emitLosses(emission, options, heads, results, classWeights);
  for (const { kept, seen } of heads) if (kept !== undefined) emitCopy(emission, seen, kept);
  if (training) for (const node of [...nodes].reverse()) emitBackward(emission, node);
  const shardStrideBytes = strideOfShards(emission);
  const phases = split ? splitPhases(emission.calls, shardSize) : stretchPhases(emission, shards);
  const updates = training && options.optimizer !== undefined;
  const layout = { shards, shardSize, shardStride: shardStrideBytes / 4 };
  const ending = training
    ? updatePhases(
        graph,
        emission,
        layout,
        options.optimizer,
        { hyper, losses: heads.map(({ losses }) => losses) },
        options.gradientNorms,
      )
    : undefined;
  const add = (name: string, units: readonly (readonly PlannedCall[])[]) => {
    if (units.length > 0) phases.push(wholeBatch(name, units));
  };
  add('reduce', ending?.reduce ?? []);
  add('clip', ending?.clip ?? []);
  const updateFrom = phases.length;
  add('update', [...(ending?.update ?? []), ...(updates ? emission.keeping.values() : [])]);
  if (updates) phases.push(preparePhase(emission));
  return {
    options,
    shards,
    phases,
    shardStrideBytes,
    input: inputs[0]!,
    inputs,
    targets: targets[0]!,
    allTargets: targets,
    sampleScale: first.sampleScale,
    step: emission.step,
    hyper,
    losses: first.losses,
    correct: first.correct,
    classWeights,
    heads,
    outputs,
    output: outputs[0]!,
    gradients: ending?.gradients ?? new Map(),
    verdicts: ending?.verdicts,
    squares: ending?.squares,
    penalties: ending?.penalties,
    updateFrom,
    prepare: preparePhase(emission),
  };
}

/** The formats of all inputs. */
export function inputFormatsOf({ input, otherInputs = [] }: PlanOptions): readonly InputFormat[] {
  return [input, ...otherInputs];
}

/** The shards' phases, and those of the whole batch where the shards meet and at the end. */
function stretchPhases(emission: Emission, shards: number): PlannedPhase[] {
  const stretches = cutStretches(emission.calls, emission.meetings, emission.batchUnits);
  return stretches.shards.flatMap((calls, i) => {
    const units = Array.from({ length: shards }, (_, shard) => ({ shard, calls }));
    const rounds = stretches.between[i]!.filter((round) => round.length > 0);
    return [{ name: 'shards', units }, ...rounds.map((round) => wholeBatch('batch', round))];
  });
}

/** The phase that remakes all prepared copies that a program's layers asked for. */
function preparePhase(emission: Emission): PlannedPhase {
  const units = [...emission.prepared.values()].map((call) => [call]);
  return wholeBatch('prepare', units);
}

/** The outputs for the main thread to read: without gaps and halo, copied where they are not so already. */
function emitOutputs(emission: Emission): TensorRef[] {
  return emission.graph.outputs.map((index, i) => {
    const tensor = emission.tensor(index);
    const { view, origin, shape } = tensor;
    if (origin.buffer.scope === 'batch' && view.halo === 0 && view.imageStride === elementCount(shape)) {
      return tensor;
    }
    const copy = tensorBuffer(`output/${i}`, 'batch', shape, 0);
    const spec: CopyViewSpec = { kind: 'copyView', input: view, output: copy.view, accumulate: false };
    emission.call(spec, [origin, copy.origin, 'count']);
    return copy;
  });
}

/** Multiply-adds from which a batch of one shard is cut into bands. */
const LEAST_SPLIT_WORK = 4e6;

/** Whether the calls of inference are cut into bands: where there is one shard only, and enough work. */
function isSplit(graph: Graph, { mode, batchSize, shardSize }: PlanOptions): boolean {
  if (mode === 'train' || batchSize > shardSize) return false;
  const work = graph.nodes.reduce(
    (sum, { layer, inputShapes }) => sum + (layer.definition.multiplyAdds?.(layer.config, inputShapes) ?? 0),
    0,
  );
  return work * batchSize >= LEAST_SPLIT_WORK;
}

/** A phase for each call that falls into bands; calls that do not run one after the other in one unit between. */
function splitPhases(calls: readonly PlannedCall[], samples: number): PlannedPhase[] {
  const phases: PlannedPhase[] = [];
  let serial: PlannedCall[] = [];
  const flush = () => {
    if (serial.length > 0) phases.push({ name: 'serial', units: [{ shard: 0, calls: serial }] });
    serial = [];
  };
  for (const call of calls) {
    const bands = splitCall(call, samples);
    if (bands.length === 1) serial.push(call);
    else {
      flush();
      phases.push({ name: 'bands', units: bands.map((band) => ({ shard: 0, calls: [band] })) });
    }
  }
  flush();
  return phases;
}

function wholeBatch(name: string, units: readonly (readonly PlannedCall[])[]): PlannedPhase {
  return { name, units: units.map((calls) => ({ shard: -1, calls })) };
}

function strideOfShards(emission: Emission): number {
  let bytes = 0;
  for (const { buffer } of emission.gradients.values()) {
    if (buffer.scope === 'shard') bytes += alignBytes(buffer.fixedBytes);
  }
  return bytes;
}

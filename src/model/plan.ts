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
import { alignBytes, plainBuffer, refTo, tensorBuffer } from './buffers.ts';
import type { Squares } from './clip.ts';
import {
  HYPER_LENGTH,
  type InputFormat,
  type LossContext,
  type LossPlan,
  type OptimizerPlan,
  type TargetFormat,
} from './contracts.ts';
import { type Emission, emitBackward, emitForward, startEmission } from './emit.ts';
import type { Graph, GraphNode } from './graph.ts';
import { emitInput, type InputBuffers } from './input.ts';
import type { Penalties } from './penalty.ts';
import { splitCall } from './split.ts';
import { cutStretches } from './stretches.ts';
import { nodesBefore } from './subgraph.ts';
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
  readonly targets?: TargetFormat;
  readonly loss?: LossPlan;
  /** Classes whose weights the loss is given, where pixels have classes of their own. */
  readonly classWeights?: number;
  /** In training: what each output's loss counts; default 1 for every output. */
  readonly lossWeights?: readonly number[];
  readonly optimizer?: OptimizerPlan;
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

/** An output beside the first that is trained, too: on the same targets, its loss times `weight`. */
export interface PlannedHead {
  readonly weight: number;
  /** f32 a sample: its weight divided by the batch, times the head's. */
  readonly sampleScale: PlannedBuffer;
  /** f64 a sample, without the head's weight. */
  readonly losses: PlannedBuffer;
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
  readonly targets: PlannedBuffer;
  readonly sampleScale: PlannedBuffer;
  readonly step: PlannedBuffer;
  readonly hyper: PlannedBuffer;
  readonly losses: PlannedBuffer;
  readonly correct: PlannedBuffer;
  /** f64 a sample, the mean error, where the loss tells that instead of hits. */
  readonly errors: PlannedBuffer | undefined;
  /** Answers a sample, of which `correct` counts the right ones. */
  readonly answers: number;
  /** f32 a class; see PlanOptions. */
  readonly classWeights: PlannedBuffer | undefined;
  /** What the first output's loss counts. */
  readonly lossWeight: number;
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
  const targets = plainBuffer('targets', 'slot', { sampleBytes: 4 * (options.targets?.length ?? 1) });
  const sampleScale = plainBuffer('sampleScale', 'slot', { sampleBytes: 4 });
  const hyper = plainBuffer('hyper', 'slot', { fixedBytes: 4 * HYPER_LENGTH });
  const losses = plainBuffer('losses', 'batch', { sampleBytes: 8 });
  const correct = plainBuffer('correct', 'batch', { sampleBytes: 4 });
  const errors = plainBuffer('errors', 'batch', { sampleBytes: 8 });
  const weights = options.classWeights;
  const classWeights =
    weights === undefined ? undefined : plainBuffer('classWeights', 'slot', { fixedBytes: 4 * weights });
  const inputs = inputFormatsOf(options).map((format, i) => emitInput(emission, format, i));
  const { nodes, results } = forwardNodes(graph, options);
  for (const node of nodes) emitForward(emission, node);
  const outputs = mode === 'predict' ? emitOutputs(emission) : results.map((at) => emission.tensor(at));
  const { loss, lossWeights = [] } = options;
  const heads =
    loss === undefined ? [] : results.slice(1).map((_, i) => planHead(i, lossWeights[i + 1] ?? 1));
  if (loss !== undefined) {
    const first = { sampleScale, losses };
    [first, ...heads].forEach((head, i) => {
      emitLoss(emission, loss, results[i]!, {
        undone: results[i] !== graph.outputs[i],
        targets: refTo(targets),
        ...(classWeights && { classWeights: refTo(classWeights) }),
        sampleScale: refTo(head.sampleScale),
        losses: refTo(head.losses),
        correct: refTo(i === 0 ? correct : plainBuffer(`correct/${i}`, 'batch', { sampleBytes: 4 })),
        errors: refTo(i === 0 ? errors : plainBuffer(`errors/${i}`, 'batch', { sampleBytes: 8 })),
      });
    });
  }
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
        { hyper, losses: [losses, ...heads.map((head) => head.losses)] },
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
    targets,
    sampleScale,
    step: emission.step,
    hyper,
    losses,
    correct,
    errors: loss?.regression ? errors : undefined,
    answers: loss?.answers?.(outputs[0]!) ?? 1,
    classWeights,
    lossWeight: lossWeights[0] ?? 1,
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

function planHead(index: number, weight: number): PlannedHead {
  return {
    weight,
    sampleScale: plainBuffer(`sampleScale/${index + 1}`, 'slot', { sampleBytes: 4 }),
    losses: plainBuffer(`losses/${index + 1}`, 'batch', { sampleBytes: 8 }),
  };
}

/**
 * Emits a loss on a tensor and, in training, its gradient: added to what another loss wrote on the same tensor, by
 * way of a buffer, since losses only write.
 */
function emitLoss(
  emission: Emission,
  loss: LossPlan,
  tensor: number,
  buffers: Omit<LossContext, 'output' | 'gradient' | 'call'>,
): void {
  const { call, mode } = emission;
  const output = emission.tensor(tensor);
  if (mode === 'infer') {
    loss.emit({ ...buffers, output, gradient: undefined, call });
    return;
  }
  const target = emission.gradient(tensor);
  const accumulate = emission.touchGradient(tensor);
  if (!accumulate) {
    loss.emit({ ...buffers, output, gradient: target, call });
    return;
  }
  const view = { ...output.view, halo: 0 };
  const buffer = plainBuffer(`gradient/of/${buffers.losses.buffer.name}`, 'unit', {
    sampleBytes: view.imageStride * 4,
  });
  const gradient = { shape: output.shape, view, origin: refTo(buffer) };
  loss.emit({ ...buffers, output, gradient, call });
  const spec: CopyViewSpec = { kind: 'copyView', input: view, output: target.view, accumulate };
  call(spec, [gradient.origin, target.origin, 'count']);
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

/**
 * The nodes to run, and the tensors that are their results: all outputs in prediction, what the losses see in training
 * (every output's) and evaluation (the first one's). A softmax at the end is left to a loss that takes logits.
 */
function forwardNodes(
  graph: Graph,
  { loss, mode }: PlanOptions,
): { readonly nodes: readonly GraphNode[]; readonly results: readonly number[] } {
  if (mode === 'predict' || loss === undefined) return { nodes: graph.nodes, results: graph.outputs };
  const seen = mode === 'train' ? graph.outputs : graph.outputs.slice(0, 1);
  const results = seen.map((output) =>
    loss.takesLogits ? logitsOf(graph, output, loss.activation) : output,
  );
  return { nodes: nodesBefore(graph, results), results };
}

/** What an activation is taken of, where a tensor is one; else the tensor itself. */
function logitsOf({ nodes }: Graph, tensor: number, activation = 'softmax'): number {
  const maker = nodes.find((node) => node.output === tensor);
  const isMade =
    maker?.layer.type === 'activation' &&
    (maker.layer.config as { function: string }).function === activation;
  return isMade ? maker.inputs[0]! : tensor;
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

/** The outputs that losses see in training and evaluation: their buffers, their losses' calls, what leads to them. */
import type { CopyViewSpec } from '../kernels/copy-view.ts';
import type { PlannedBuffer, TensorRef } from '../layers/layer.ts';
import { plainBuffer, refTo, tensorBuffer } from './buffers.ts';
import type { LossContext, LossPlan, TargetFormat } from './contracts.ts';
import type { Emission } from './emit.ts';
import type { Graph, GraphNode } from './graph.ts';
import type { PlanOptions } from './plan.ts';
import { nodesBefore } from './subgraph.ts';

/** An output with a loss. */
export interface PlannedHead {
  /** What it learns: its own, or what all learn. */
  readonly targets: PlannedBuffer;
  /** What its loss counts. */
  readonly weight: number;
  /** f32 a sample: its weight divided by the batch, times the head's. */
  readonly sampleScale: PlannedBuffer;
  /** f64 a sample, without the head's weight. */
  readonly losses: PlannedBuffer;
  /** i32 a sample. */
  readonly correct: PlannedBuffer;
  /** f64 a sample, the mean error; only losses of numbers write it. */
  readonly errors: PlannedBuffer;
  /** Whether the loss tells errors instead of hits. */
  readonly regression: boolean;
  /** What its loss sees. */
  readonly seen: TensorRef;
  /** A copy of it for the main thread, [samples, ...shape]; see `keptOutputs`. */
  readonly kept: TensorRef | undefined;
  /** Answers a sample, of which `correct` counts the right ones. */
  readonly answers: number;
}

/** The formats of all targets: one that all outputs learn, or one an output. */
export function targetFormatsOf({ targets, otherTargets = [] }: PlanOptions): readonly TargetFormat[] {
  return [targets ?? { kind: 'index', length: 1 }, ...otherTargets];
}

/** Where the main thread writes targets. */
export function targetBuffers(options: PlanOptions): readonly PlannedBuffer[] {
  return targetFormatsOf(options).map(({ length }, i) =>
    plainBuffer(i === 0 ? 'targets' : `targets/${i}`, 'slot', { sampleBytes: 4 * length }),
  );
}

/** The head of the output at a place; `seen`: what its loss sees. */
export function planHead(
  graph: Graph,
  options: PlanOptions,
  targets: readonly PlannedBuffer[],
  place: number,
  seen: TensorRef,
): PlannedHead {
  const loss = lossOf(options, place);
  const named = (kind: string) => (place === 0 ? kind : `${kind}/${graph.outputNames[place]}`);
  return {
    targets: targets[place] ?? targets[0]!,
    weight: options.lossWeights?.[place] ?? 1,
    sampleScale: plainBuffer(named('sampleScale'), 'slot', { sampleBytes: 4 }),
    losses: plainBuffer(named('losses'), 'batch', { sampleBytes: 8 }),
    correct: plainBuffer(named('correct'), 'batch', { sampleBytes: 4 }),
    errors: plainBuffer(named('errors'), 'batch', { sampleBytes: 8 }),
    regression: loss?.regression === true,
    seen,
    kept: options.keptOutputs?.includes(place)
      ? tensorBuffer(named('seen'), 'batch', seen.shape, 0)
      : undefined,
    answers: loss?.answers?.(seen) ?? 1,
  };
}

/** The loss of the output at a place. */
function lossOf({ loss, otherLosses }: PlanOptions, place: number): LossPlan | undefined {
  return place === 0 ? loss : (otherLosses?.[place - 1] ?? loss);
}

/** Emits a copy for the main thread. */
export function emitCopy(emission: Emission, from: TensorRef, to: TensorRef): void {
  const spec: CopyViewSpec = { kind: 'copyView', input: from.view, output: to.view, accumulate: false };
  emission.call(spec, [from.origin, to.origin, 'count']);
}

/** Emits the losses of all heads; `results`: the tensors that they see. */
export function emitLosses(
  emission: Emission,
  options: PlanOptions,
  heads: readonly PlannedHead[],
  results: readonly number[],
  classWeights: PlannedBuffer | undefined,
): void {
  const { outputs } = emission.graph;
  heads.forEach(({ targets, sampleScale, losses, correct, errors }, i) => {
    emitLoss(emission, lossOf(options, i)!, results[i]!, {
      undone: results[i] !== outputs[i],
      targets: refTo(targets),
      ...(classWeights && { classWeights: refTo(classWeights) }),
      sampleScale: refTo(sampleScale),
      losses: refTo(losses),
      correct: refTo(correct),
      errors: refTo(errors),
    });
  });
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

/**
 * The nodes to run, and the tensors that are their results: all outputs in prediction, what the losses see in training
 * (every output's) and evaluation (the first one's, unless each has a loss of its own). A softmax at the end is left to
 * a loss that takes logits.
 */
export function forwardNodes(
  graph: Graph,
  { loss, otherLosses, mode }: PlanOptions,
): { readonly nodes: readonly GraphNode[]; readonly results: readonly number[] } {
  if (mode === 'predict' || loss === undefined) return { nodes: graph.nodes, results: graph.outputs };
  const all = mode === 'train' || otherLosses !== undefined;
  const seen = all ? graph.outputs : graph.outputs.slice(0, 1);
  const results = seen.map((output, i) => {
    const { takesLogits, activation } = i === 0 ? loss : (otherLosses?.[i - 1] ?? loss);
    return takesLogits ? logitsOf(graph, output, activation) : output;
  });
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

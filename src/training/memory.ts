/** What a training step will need, worked out from the plan before anything is allocated. */
import type { Numerics } from '../layers/conv-algorithm.ts';
import { bufferBytes } from '../model/buffers.ts';
import type { InputFormat } from '../model/contracts.ts';
import type { Graph } from '../model/graph.ts';
import { buffersOf, placeProgram } from '../model/place.ts';
import { planProgram, shardSizeFor } from '../model/plan.ts';
import { lossPlan } from './loss-plans.ts';
import { adam, type Optimizer } from './optimizers.ts';

/** For which step; defaults are those of `fit`. */
export interface MemoryOptions {
  /** Default 32. */
  readonly batchSize?: number;
  /** Workers: each has its own scratch. Default 2. */
  readonly threads?: number;
  /** Default adam(). */
  readonly optimizer?: Optimizer;
}

/** Bytes of the arena. */
export interface PlannedMemory {
  /** Parameters, optimizer state, prepared copies: as long as the model lives. */
  readonly modelBytes: number;
  /** Gradients, activations that outlive a shard, samples, scratch: while a program runs. */
  readonly stepBytes: number;
  readonly totalBytes: number;
}

/** Plans a training step on bytes with augmentation, and adds up. */
export function plannedMemory(graph: Graph, numerics: Numerics, options: MemoryOptions = {}): PlannedMemory {
  const { batchSize = 32, threads = 2, optimizer = adam() } = options;
  const [input, ...otherInputs] = graph.inputs.map((index) => formatOf(graph.tensors[index]!.length === 3));
  const plan = planProgram(graph, {
    mode: 'train',
    batchSize,
    shardSize: shardSizeFor(batchSize),
    input: input!,
    otherInputs,
    targets: { kind: 'index', length: 1 },
    loss: lossPlan('categoricalCrossentropy', 'index'),
    optimizer: optimizer.plan,
    seed: 0,
    numerics,
  });
  const phases = [plan.prepare, ...plan.phases];
  const model = buffersOf(phases).filter(({ scope }) => scope === 'model');
  const modelBytes = model.reduce((sum, buffer) => sum + bufferBytes(buffer, 0), 0);
  const stepBytes = placeProgram(plan, phases, () => 0, 0).transientBytes(threads);
  return { modelBytes, stepBytes, totalBytes: modelBytes + stepBytes };
}

function formatOf(augmented: boolean): InputFormat {
  return { type: 'uint8', mode: 'scale', mean: [], std: [], augmented };
}

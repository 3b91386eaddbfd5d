/**
 * The notebook network's program bound to a memory of this process, its calls laid open: to time each of them
 * without workers around.
 */
import { affineMatrix, augmentationKey, notebookAugmentation } from '../src/data/augmentation.ts';
import { createBatchBuffer } from '../src/data/dataset.ts';
import { syntheticImages } from '../src/data/synthetic.ts';
import { families } from '../src/kernels/index.ts';
import type { Heap, KernelFunction, KernelSpec } from '../src/kernels/kernel.ts';
import type { InputFormat } from '../src/model/contracts.ts';
import { buffersOf, type PlacedProgram, placeProgram } from '../src/model/place.ts';
import { type Plan, planProgram, shardSizeFor } from '../src/model/plan.ts';
import { TAG } from '../src/model/program.ts';
import { Arena } from '../src/parallel/arena.ts';
import { compileKernels } from '../src/parallel/compile.ts';
import { lossPlan } from '../src/training/loss-plans.ts';
import { sequential } from '../src/training/models.ts';
import { adam, type Optimizer } from '../src/training/optimizers.ts';
import { cifarNotebook } from '../src/zoo/cifar-notebook.ts';
import type { Code } from './sandbox.ts';

/** One kernel call of a step. */
export interface StepCall {
  readonly phase: string;
  /** Index among the program's kernels: calls of equal specs share it. */
  readonly kernel: number;
  readonly spec: KernelSpec;
  readonly code: Code;
  readonly args: readonly number[];
  /** Whether it comes behind the loss in its unit. */
  readonly backward: boolean;
  run(): void;
}

export interface NotebookOptions {
  readonly mode: 'train' | 'predict';
  readonly batchSize: number;
  /** Default adam(). */
  readonly optimizer?: Optimizer;
  /** Default standardize. */
  readonly normalization?: 'standardize' | 'l2Rows';
}

/** A batch of drawn images through the notebook network, all samples of the batch present. */
export async function notebookCalls(options: NotebookOptions): Promise<StepCall[]> {
  const { batchSize, optimizer = adam() } = options;
  const { model, plan, arena, placed } = place(options);
  arena.reserve([], placed.transientBytes(1));
  for (const [name, { data }] of Object.entries(model.getWeights())) {
    arena.floats(`parameter/${name}`).set(data);
  }
  await model.close();
  await fillSlot(plan, placed, arena.heap, batchSize, optimizer);
  return decode(placed, bind(placed.program.kernels, arena), batchSize);
}

function place(options: NotebookOptions) {
  const model = sequential({ inputShape: [32, 32, 3], seed: 21 }, cifarNotebook());
  const plan = planProgram(model.graph, planOptions(options, options.optimizer ?? adam()));
  const arena = new Arena();
  const phases = [plan.prepare, ...plan.phases];
  arena.reserve(buffersOf(phases));
  const placed = placeProgram(plan, phases, (buffer) => arena.addressOf(buffer), arena.transientBase);
  return { model, plan, arena, placed };
}

function planOptions(
  { mode, batchSize, normalization = 'standardize' }: NotebookOptions,
  optimizer: Optimizer,
) {
  const standardize = normalization === 'standardize';
  const input: InputFormat = {
    type: 'uint8',
    mode: normalization,
    mean: standardize ? [0.49, 0.48, 0.45] : [],
    std: standardize ? [0.25, 0.24, 0.26] : [],
    augmented: mode === 'train',
  };
  const common = { mode, batchSize, shardSize: shardSizeFor(batchSize), input, seed: 21 } as const;
  const targets = { kind: 'index', length: 1 } as const;
  if (mode === 'predict') return { ...common, targets };
  const loss = lossPlan('categoricalCrossentropy', 'index');
  return { ...common, targets, loss, optimizer: optimizer.plan };
}

async function fillSlot(
  plan: Plan,
  placed: PlacedProgram,
  { f32, i32, u8 }: Heap,
  batchSize: number,
  optimizer: Optimizer,
): Promise<void> {
  const dataset = syntheticImages({ size: batchSize, seed: 0, split: 'train' });
  const batch = createBatchBuffer(dataset, batchSize);
  await dataset.read(
    Uint32Array.from({ length: batchSize }, (_, i) => i),
    batch,
  );
  const at = (buffer: Plan['targets']) => placed.slotBase + placed.addressOf(buffer);
  u8.set(batch.inputs, at(plan.input.samples));
  if (plan.options.mode === 'predict') return;
  i32.set(batch.targets, at(plan.targets) / 4);
  f32.fill(1 / batchSize, at(plan.sampleScale) / 4, at(plan.sampleScale) / 4 + batchSize);
  f32.set(optimizer.hyper(0), at(plan.hyper) / 4);
  const matrices = f32.subarray(at(plan.input.matrices) / 4);
  const key = augmentationKey(21);
  for (let i = 0; i < batchSize; i++) {
    affineMatrix(notebookAugmentation, key, 0, i, 32, 32, matrices, 6 * i);
  }
}

function bind(
  specs: readonly KernelSpec[],
  arena: Arena,
): { run: KernelFunction; code: Code; spec: KernelSpec }[] {
  const { module, exports, wide } = compileKernels(specs, true);
  const instance = new WebAssembly.Instance(module, { env: { memory: arena.memory } });
  return specs.map((spec, i) => {
    const name = exports[i]!;
    if (name < 0) return { spec, code: 'scalar', run: families[spec.kind]!.bind(spec, arena.heap) };
    return { spec, code: wide ? '256' : '128', run: instance.exports[String(name)] as KernelFunction };
  });
}

/** Reads the program's words (src/model/program.ts) for a full batch. */
function decode(
  { program, workerBase, slotBase }: PlacedProgram,
  kernels: ReturnType<typeof bind>,
  batchSize: number,
): StepCall[] {
  const { code, phases } = program;
  const calls: StepCall[] = [];
  phases.forEach((phase, p) => {
    const head = code[1 + p]!;
    for (let unit = 0; unit < code[head]!; unit++) {
      const at = code[head + 1 + unit]!;
      const count = Math.min(code[at + 1]!, batchSize - code[at]!);
      const bases = [0, workerBase, slotBase, count];
      let backward = false;
      let next = at + 3;
      for (let call = 0; call < code[at + 2]!; call++) {
        const [kernel, length, tags] = code.subarray(next, next + 3) as unknown as [number, number, number];
        const args = Array.from(code.subarray(next + 3, next + 3 + length), (value, i) => {
          const tag = (tags >>> (2 * i)) & 3;
          return tag === TAG.count ? count : value + bases[tag]!;
        });
        next += 3 + length;
        const { run, spec, code: how } = kernels[kernel]!;
        calls.push({ phase, kernel, spec, code: how, args, backward, run: () => run(...args) });
        if (spec.kind === 'softmaxCrossEntropy') backward = true;
      }
    }
  });
  return calls;
}

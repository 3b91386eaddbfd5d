/** The kernels of a model's training program. */
import type { KernelSpec } from '../../src/kernels/kernel.ts';
import { placeProgram } from '../../src/model/place.ts';
import { planProgram, shardSizeFor } from '../../src/model/plan.ts';
import { lossPlan } from '../../src/training/loss-plans.ts';
import type { Model } from '../../src/training/model.ts';
import { adam } from '../../src/training/optimizers.ts';

/** For batches of 32 float images that are augmented, class indices and Adam. */
export function trainingSpecs(model: Model): readonly KernelSpec[] {
  const plan = planProgram(model.graph, {
    mode: 'train',
    batchSize: 32,
    shardSize: shardSizeFor(32),
    input: { type: 'float32', mode: 'none', mean: [], std: [], augmented: true },
    targets: { kind: 'index', length: 1 },
    loss: lossPlan('categoricalCrossentropy', 'index'),
    optimizer: adam().plan,
    seed: 1,
  });
  return placeProgram(plan, [plan.prepare, ...plan.phases], () => 0, 0).program.kernels;
}

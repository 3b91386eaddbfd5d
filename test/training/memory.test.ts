/** `Model.memory` says beforehand what a training step takes, to the byte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adam, cifarNotebook, sequential, syntheticImages } from '../../src/index.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import { createEngine } from '../../src/parallel/engine.ts';
import { checkFit } from '../../src/training/evaluate.ts';
import { openTraining } from '../../src/training/open-training.ts';
import { ModelState } from '../../src/training/state.ts';

const inputShape = [32, 32, 3];
const PARAMETERS = 558_186;

test('more threads reserve more memory', () => {
  const model = sequential({ inputShape }, cifarNotebook());
  const bytes = (threads: number) => model.memory({ batchSize: 8, threads }).totalBytes;
  assert.ok(bytes(1) > 3 * 4 * PARAMETERS);
  assert.ok(bytes(2) > bytes(1));
});

test('what is planned is what a step takes', async () => {
  const engine = createEngine({ threads: 2 });
  const state = new ModelState(sequentialGraph(inputShape, cifarNotebook()), 0, 'fast', undefined);
  const runner = await state.runner({ engine });
  const optimizer = adam();
  state.useOptimizer(runner, optimizer);
  const data = syntheticImages({ size: 8, seed: 1, split: 'train' });
  const { feed, objective } = checkFit('fit', state.graph, data, {});
  const options = { batchSize: 8, objective, optimizer, augmented: [0] } as const;
  const { model, step } = runner.bytes(openTraining(runner, state, feed, options));
  const planned = sequential({ inputShape }, cifarNotebook()).memory({ batchSize: 8, threads: 2 });
  assert.equal(step, planned.stepBytes);
  assert.equal(model - planned.modelBytes, 1024, 'the arena leaves its first KiB empty');
  await state.close();
  await engine.close();
});

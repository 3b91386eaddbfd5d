/** The gradient of a ReLU on its way through the call before it: where it goes there, and where it must not. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { activation, conv2d, dropout, input, maxPooling2d } from '../../src/index.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { functionalGraph } from '../../src/model/functional.ts';
import { type Graph, sequentialGraph } from '../../src/model/graph.ts';
import { type PlanOptions, planProgram } from '../../src/model/plan.ts';
import { lossPlan } from '../../src/training/loss-plans.ts';
import { PLAIN_INPUT } from '../helpers/conformance-model.ts';

type Kind = { readonly kind: string; readonly gate?: object; readonly gated?: boolean };

/** The kernels of a shard's training step, in their order. */
function stepOf(graph: Graph, numerics: PlanOptions['numerics'] = 'fast'): Kind[] {
  const plan = planProgram(graph, {
    mode: 'train',
    batchSize: 2,
    shardSize: 1,
    input: PLAIN_INPUT,
    targets: { kind: 'dense', length: graph.tensors[graph.output]!.reduce((a, b) => a * b) },
    loss: lossPlan('meanSquaredError', 'dense'),
    seed: 1,
    numerics,
  });
  return plan.phases[0]!.units[0]!.calls.map(({ spec }) => spec as Kind);
}

const wide = { filters: 32, kernelSize: 3, padding: 'same', activation: 'relu' } as const;
const relus = (calls: readonly Kind[]) => calls.filter(({ kind }) => kind === 'activationBackward').length;
const gates = (calls: readonly Kind[]) =>
  calls.filter(({ gate, gated }) => gate !== undefined || gated).length;
const sequence = (layers: readonly Layer[]) => sequentialGraph([8, 8, 32], layers);

test('it goes through the input gradient of a convolution by Winograd and through max pooling', () => {
  const calls = stepOf(sequence([conv2d(wide), conv2d(wide), maxPooling2d(), conv2d(wide)]));
  // The last one's comes from the loss.
  assert.deepEqual([relus(calls), gates(calls)], [1, 2]);
  assert.ok(calls.find(({ kind }) => kind === 'maxPoolBackward')!.gated);
});

test('it stays a call of its own behind direct convolutions, and behind layers between', () => {
  const direct = stepOf(sequence([conv2d(wide), conv2d(wide)]), 'direct');
  assert.deepEqual([relus(direct), gates(direct)], [2, 0]);
  const between = stepOf(sequence([conv2d(wide), dropout({ rate: 0.5 }), conv2d(wide)]));
  assert.deepEqual([relus(between), gates(between)], [2, 0]);
});

test('other activations have calls of their own', () => {
  const calls = stepOf(
    sequence([
      conv2d({ ...wide, activation: 'linear' }),
      activation({ function: 'elu' }),
      maxPooling2d(),
      conv2d(wide),
    ]),
  );
  assert.deepEqual([relus(calls), gates(calls)], [2, 0]);
});

test('where two layers read an output, it goes through the one whose gradient is added last', () => {
  const image = input({ shape: [8, 8, 32] });
  const shared = conv2d(wide)(image);
  const outputs = { one: conv2d(wide)(shared), other: conv2d(wide)(shared) };
  const calls = stepOf(functionalGraph(image, outputs));
  const winograd = calls.filter(({ kind }) => kind === 'winogradForward') as (Kind & {
    accumulate?: boolean;
  })[];
  const gated = winograd.filter(({ gate }) => gate !== undefined);
  assert.deepEqual(
    gated.map(({ accumulate }) => accumulate),
    [true],
  );
});

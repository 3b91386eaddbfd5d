/**
 * Normalisations on PyTorch's values: the conformance oracle agrees with PyTorch's f64, and what the layer computes in f32
 * is within the oracle's bounds of it.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { layers } from '../../src/layers/index.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { exactValues } from '../helpers/conformance-bounds.ts';
import { probePlan } from '../helpers/conformance-model.ts';
import type { LayerProblem } from '../helpers/conformance-oracle.ts';
import { oracles } from '../helpers/conformance-oracles.ts';
import { loadFixture } from '../helpers/fixture.ts';
import { loadPlan } from '../helpers/run-plan.ts';
import { assertWithin } from '../helpers/tolerance.ts';

const { json, tensor, tensors } = loadFixture('normalizations');
/** Two computations in f64, relative to the largest value. */
const F64_AGREEMENT = 2 ** -40;

type Make = (options: object) => Layer;

for (const { name, layer: type, options } of json.cases.filter(({ layer }) => layer in layers)) {
  test(name, () => {
    const has = (key: string) => `${name}/${key}` in tensors;
    const make = layers[type as keyof typeof layers] as unknown as Make;
    const switches =
      type === 'localResponseNormalization' ? {} : { scale: has('gamma'), center: has('beta') };
    const layer = make({ ...options, ...switches });
    const { data: input, shape } = tensor(`${name}/input`);
    const [count, ...inputShape] = shape as [number, ...number[]];
    const names = ['gamma', 'beta'].filter(has);
    const parameters = Object.fromEntries(names.map((key) => [key, tensor(`${name}/${key}`).data]));
    const problem: LayerProblem = {
      config: layer.config,
      inputShape,
      inputShapes: [inputShape],
      outputShape: inputShape,
      count,
      input,
      parameters,
      name: type,
      seed: 0,
      step: 0,
    };
    const gradOutput = tensor(`${name}/gradOutput`).data as Float32Array;
    const oracle = oracles[type]!;
    const backward = oracle.backward(problem, exactValues(gradOutput));
    const expected = {
      output: oracle.forward(problem),
      gradInput: backward.gradInput,
      ...(has('gamma') && { gradGamma: backward.parameters.gamma! }),
      ...(has('beta') && { gradBeta: backward.parameters.beta! }),
    };
    const { plan, outputs, gradInputs } = probePlan(layer, inputShape, { batchSize: count, shardSize: 1 });
    const loaded = loadPlan(plan, 'simd');
    const named = Object.entries(parameters).map(([key, values]) => [`${type}/${key}`, values] as const);
    const data = { inputs: input as Float32Array, targets: gradOutput };
    loaded.run({ ...data, parameters: Object.fromEntries(named) as Record<string, Float32Array> }, { count });
    const gradients = loaded.gradients();
    const found: Record<string, Float32Array> = {
      output: loaded.read(outputs, input.length),
      gradInput: loaded.read(gradInputs, input.length),
      gradGamma: gradients[`${type}/gamma`]!,
      gradBeta: gradients[`${type}/beta`]!,
    };
    for (const [key, { values, bounds }] of Object.entries(expected)) {
      const truth = Float64Array.from(tensor(`${name}/${key}`).data);
      const largest = truth.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const agreement = F64_AGREEMENT * largest;
      truth.forEach((value, i) => {
        assert.ok(Math.abs(value - values[i]!) <= agreement, `${key}[${i}]: ${values[i]}, PyTorch ${value}`);
      });
      const loose = bounds.map((bound) => bound + agreement);
      assertWithin(found[key]!, truth, loose, `${name}: ${key}`);
    }
  });
}

/**
 * The activations' kernels on PyTorch's values: each output and gradient within the roundings that the kernel
 * makes, propagated (rounding.ts). Where a derivative is computed from the f32 output, that output's own
 * error counts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activationBackwardFamily } from '../../src/kernels/activation-backward.ts';
import { activationForwardFamily } from '../../src/kernels/activation-forward.ts';
import { ACTIVATIONS, type ActivationName } from '../../src/kernels/activation-functions.ts';
import { preluBackwardFamily } from '../../src/kernels/prelu-backward.ts';
import { preluForwardFamily } from '../../src/kernels/prelu-forward.ts';
import { softmaxBackwardFamily } from '../../src/kernels/softmax-backward.ts';
import { softmaxForwardFamily } from '../../src/kernels/softmax-forward.ts';
import { denseView } from '../../src/tensor/view.ts';
import { loadFixture } from '../helpers/fixture.ts';
import type { Values } from '../helpers/oracle.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertWithin, roundoffBounds } from '../helpers/tolerance.ts';
import { exact, multiply, nearest, type Rounded, rounded } from './rounding.ts';

/**
 * Errors of the f64 formulas, the truth's included. Relative, but for GELU by erf, whose 1 + erf cancels in
 * the negative tail; GELU's argument reaches 4e4 there, which exp turns into a relative error of as many ulps.
 */
const RELATIVE = 2 ** -35;
const CANCELLATION = 2 ** -50;

const { json, tensor } = loadFixture('layers');
const mobile = loadFixture('normalizations');
const elementwise = [...json.cases, ...mobile.json.cases].filter(({ layer }) => layer in ACTIVATIONS);

/** A tensor of whichever fixture has the case. */
function tensorOf(name: string) {
  return name in mobile.tensors ? mobile.tensor(name) : tensor(name);
}

for (const { name, layer, options } of elementwise) {
  const { approximate, alpha = 0 } = options as { approximate?: boolean; alpha?: number };
  const activation = approximate ? 'geluTanh' : (layer as ActivationName);
  test(name, () => checkElementwise(name, activation, alpha));
}

test('every activation function has a case', () => {
  const covered = elementwise.map(({ layer, options }) =>
    'approximate' in options && options.approximate ? 'geluTanh' : layer,
  );
  assert.deepEqual([...new Set(covered)].sort(), Object.keys(ACTIVATIONS).sort());
});

function checkElementwise(name: string, activation: ActivationName, alpha: number): void {
  const { data: input, shape } = tensorOf(`${name}/input`);
  const view = denseView(1, 1, shape[1]!);
  const count = shape[0]!;
  const gradOutput = tensorOf(`${name}/gradOutput`).data;
  const truth = tensorOf(`${name}/output`).data;
  const truthGradient = tensorOf(`${name}/gradInput`).data;
  const spec = { function: activation, alpha, input: view, output: view };
  const forward = { kind: 'activationForward', ...spec } as const;
  const output = runKernel(activationForwardFamily, forward, { input }, { count }).output!;
  const outputs = Array.from(truth, (y, i) => outputOf(activation, input[i]!, y, alpha));
  assertWithin(
    output,
    truth,
    outputs.map(({ error }) => error),
    `${name}: output`,
  );

  const saved = ACTIVATIONS[activation].saves === 'input' ? input : output;
  const backward = {
    kind: 'activationBackward',
    function: activation,
    alpha,
    saved: view,
    gradOutput: view,
    gradInput: view,
    accumulate: false,
  } as const;
  const gradInput = runKernel(activationBackwardFamily, backward, { saved, gradOutput }, { count })
    .gradInput!;
  const bounds = Array.from(truthGradient, (t, i) => {
    const slope = t / gradOutput[i]!;
    const derivative = rounded(slope, derivativeError(activation, input[i]!, outputs[i]!, slope));
    return multiply(exact(gradOutput[i]!), derivative).error;
  });
  assertWithin(gradInput, truthGradient, bounds, `${name}: gradInput`);
}

/** The f32 output around the truth y. */
function outputOf(activation: ActivationName, x: number, y: number, alpha: number): Rounded {
  if (activation === 'relu' || activation === 'relu6') return exact(y);
  if (activation === 'leakyRelu') return x < 0 ? multiply(nearest(alpha), exact(x)) : exact(y);
  return rounded(y, Math.abs(y) * RELATIVE + (activation === 'gelu' ? Math.abs(x) * CANCELLATION : 0));
}

/** Error of the derivative before it is rounded to f32: that of the formula, or that of the saved output y. */
function derivativeError(activation: ActivationName, x: number, y: Rounded, slope: number): number {
  const e = y.error;
  switch (activation) {
    case 'relu':
    case 'relu6':
    case 'leakyRelu':
      return 0;
    case 'sigmoid':
      return Math.abs(1 - 2 * y.value) * e + e * e;
    case 'tanh':
      return 2 * Math.abs(y.value) * e + e * e;
    case 'elu':
      return x > 0 ? 0 : e;
    default:
      return Math.abs(slope) * RELATIVE + (1 + Math.abs(x)) * CANCELLATION;
  }
}

test('parametric ReLU', () => {
  const { data: input, shape } = tensor('prelu/input');
  const [count, height, width, channels] = shape as [number, number, number, number];
  const view = denseView(height, width, channels);
  const alpha = tensor('prelu/alpha').data;
  const gradOutput = tensor('prelu/gradOutput').data;
  const forward = { kind: 'preluForward', input: view, output: view } as const;
  const { output } = runKernel(preluForwardFamily, forward, { input, alpha }, { count });
  const backward = {
    kind: 'preluBackward',
    input: view,
    gradOutput: view,
    gradInput: view,
    accumulate: false,
    accumulateAlpha: false,
  } as const;
  const gradients = runKernel(preluBackwardFamily, backward, { input, alpha, gradOutput }, { count });
  const single = (key: string, computed: Values) => {
    const truth = tensor(`prelu/${key}`).data;
    assertWithin(computed, truth, roundoffBounds(1, truth.map(Math.abs)), key);
  };
  single('output', output!);
  single('gradInput', gradients.gradInput!);
  const magnitudes = new Float64Array(channels);
  input.forEach((x, i) => {
    if (x < 0) magnitudes[i % channels]! += Math.abs(x * gradOutput[i]!);
  });
  const bounds = roundoffBounds(count * height * width, magnitudes);
  assertWithin(gradients.gradAlpha!, tensor('prelu/gradAlpha').data, bounds, 'gradAlpha');
});

for (const { name } of json.cases.filter(({ layer }) => layer === 'softmax')) {
  test(name, () => {
    const { data: input, shape } = tensor(`${name}/input`);
    const [count, channels] = shape as [number, number];
    const view = denseView(1, 1, channels);
    const gradOutput = tensor(`${name}/gradOutput`).data;
    const truth = tensor(`${name}/output`).data;
    const forward = { kind: 'softmaxForward', input: view, output: view } as const;
    const output = runKernel(softmaxForwardFamily, forward, { input }, { count }).output!;
    const p = Array.from(truth, (value) => rounded(value, Math.abs(value) * RELATIVE));
    assertWithin(
      output,
      truth,
      p.map(({ error }) => error),
      'output',
    );

    const backward = {
      kind: 'softmaxBackward',
      output: view,
      gradOutput: view,
      gradInput: view,
      accumulate: false,
    } as const;
    const { gradInput } = runKernel(softmaxBackwardFamily, backward, { output, gradOutput }, { count });
    const bounds = p.map((own, i) => {
      const first = i - (i % channels);
      const row = p.slice(first, first + channels);
      const mean = {
        value: row.reduce((sum, { value }, c) => sum + value * gradOutput[first + c]!, 0),
        error: row.reduce((sum, { error }, c) => sum + error * Math.abs(gradOutput[first + c]!), 0),
      };
      return multiply(own, { value: gradOutput[i]! - mean.value, error: mean.error }).error;
    });
    assertWithin(gradInput!, tensor(`${name}/gradInput`).data, bounds, 'gradInput');
  });
}

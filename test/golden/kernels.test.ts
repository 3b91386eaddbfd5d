/**
 * The scalar kernels on PyTorch's single layers: outputs and all gradients within the derived bound
 * gamma(n) * S + n * 2^-149 of the f64 truth; max pooling exactly. S is stored beside each result.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { averagePoolBackwardFamily } from '../../src/kernels/average-pool-backward.ts';
import { averagePoolForwardFamily } from '../../src/kernels/average-pool-forward.ts';
import { channelSum } from '../../src/kernels/channel-sum.ts';
import { denseForward } from '../../src/kernels/dense-forward.ts';
import { denseInputGradient } from '../../src/kernels/dense-input-gradient.ts';
import { type PackDenseSpec, packDense } from '../../src/kernels/dense-pack.ts';
import { denseWeightGradient } from '../../src/kernels/dense-weight-gradient.ts';
import { maxPoolBackwardFamily } from '../../src/kernels/max-pool-backward.ts';
import { maxPoolForwardFamily } from '../../src/kernels/max-pool-forward.ts';
import {
  type ConvOptions,
  convGeometry,
  type TransposedOptions,
  transposedGeometry,
} from '../../src/tensor/convolution.ts';
import { poolOutputSize, poolWindow } from '../../src/tensor/pooling.ts';
import { denseView, type View } from '../../src/tensor/view.ts';
import { assertSameValues } from '../helpers/exact.ts';
import { loadFixture } from '../helpers/fixture.ts';
import type { Values } from '../helpers/oracle.ts';
import { directForward, directInputGradient, directWeightGradient } from '../helpers/run-convolution.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertWithin, roundoffBounds } from '../helpers/tolerance.ts';

const { json, tensor, tensors } = loadFixture('layers');

/** What a layer's check gets: tensors by their name within the case. */
interface Subject {
  readonly options: object;
  /** Shape of the input: [N, H, W, C], or [N, F]. */
  readonly shape: readonly number[];
  get(name: string): Values;
  readonly bias: Values | undefined;
  /** Asserts a result that is a sum of at most `terms` products. */
  within(name: string, computed: Values, terms: number): void;
}

const CHECKS: Readonly<Record<string, (subject: Subject) => void>> = {
  conv2d: checkConvolution,
  conv2dTranspose: checkTransposed,
  dense: checkDense,
  averagePool: checkAveragePool,
  maxPool: checkMaxPool,
};

for (const { name, layer, options } of json.cases) {
  const check = CHECKS[layer];
  if (check !== undefined) test(name, () => check(subjectOf(name, options)));
}

test('every contraction and pooling of the fixture has its check', () => {
  const linear = Object.keys(tensors).filter((name) => name.endsWith('/outputMagnitude'));
  assert.equal(
    linear.length,
    json.cases.filter(({ layer }) => layer in CHECKS && layer !== 'maxPool').length,
  );
  for (const layer of Object.keys(CHECKS))
    assert.ok(
      json.cases.some((found) => found.layer === layer),
      layer,
    );
});

function subjectOf(name: string, options: object): Subject {
  return {
    options,
    shape: tensor(`${name}/input`).shape,
    get: (key) => tensor(`${name}/${key}`).data,
    bias: tensors[`${name}/bias`]?.data,
    within(key, computed, terms) {
      const bounds = roundoffBounds(terms, tensor(`${name}/${key}Magnitude`).data);
      assertWithin(computed, tensor(`${name}/${key}`).data, bounds, `${name}: ${key}`);
    },
  };
}

function checkConvolution({ options, shape, get, bias, within }: Subject): void {
  const count = shape[0]!;
  const g = convGeometry('fixture', shape.slice(1), options as ConvOptions);
  const taps = g.kernelHeight * g.kernelWidth;
  const pixels = count * g.outHeight * g.outWidth;
  const terms = taps * (g.inChannels / g.groups) + (bias === undefined ? 0 : 1);
  within('output', directForward(g, get('input'), get('weight'), { count, bias }), terms);
  const gradInput = directInputGradient(g, get('gradOutput'), get('weight'), { count });
  within('gradInput', gradInput, taps * (g.outChannels / g.groups));
  within('gradWeight', directWeightGradient(g, get('input'), get('gradOutput'), { count }), pixels);
  if (bias === undefined) return;
  const view = denseView(g.outHeight, g.outWidth, g.outChannels);
  within('gradBias', sumChannels(view, get('gradOutput'), count), pixels);
}

/** The transposed convolution is the input gradient of a convolution `g` that goes the other way. */
function checkTransposed({ options, shape, get, bias, within }: Subject): void {
  const count = shape[0]!;
  const g = transposedGeometry('fixture', shape.slice(1), options as TransposedOptions);
  const taps = g.kernelHeight * g.kernelWidth;
  const terms = taps * (g.outChannels / g.groups) + (bias === undefined ? 0 : 1);
  within('output', directInputGradient(g, get('input'), get('weight'), { count, bias }), terms);
  const gradInput = directForward(g, get('gradOutput'), get('weight'), { count });
  within('gradInput', gradInput, taps * (g.inChannels / g.groups));
  const gradWeight = directWeightGradient(g, get('gradOutput'), get('input'), { count });
  within('gradWeight', gradWeight, count * g.outHeight * g.outWidth);
  if (bias === undefined) return;
  const view = denseView(g.inHeight, g.inWidth, g.inChannels);
  within('gradBias', sumChannels(view, get('gradOutput'), count), count * g.inHeight * g.inWidth);
}

function checkDense({ shape, get, bias, within, options }: Subject): void {
  const [count, inFeatures] = shape as [number, number];
  const outFeatures = (options as { units: number }).units;
  const sizes = { inFeatures, outFeatures };
  const input = get('input');
  const gradOutput = get('gradOutput');
  const pack = (pass: PackDenseSpec['pass']) =>
    runKernel(packDense, { kind: 'packDense', ...sizes, pass }, { weight: get('weight') }).packed!;
  const output = runKernel(
    denseForward,
    {
      kind: 'denseForward',
      ...sizes,
      inputStride: inFeatures,
      outputStride: outFeatures,
      bias: bias !== undefined,
      activation: 'linear',
    },
    { input, weight: pack('forward'), ...(bias && { bias }) },
    { count },
  ).output!;
  within('output', output, inFeatures + (bias === undefined ? 0 : 1));
  const { gradInput } = runKernel(
    denseInputGradient,
    {
      kind: 'denseInputGradient',
      ...sizes,
      gradOutputStride: outFeatures,
      gradInputStride: inFeatures,
      accumulate: false,
    },
    { gradOutput, weight: pack('inputGradient') },
    { count },
  );
  within('gradInput', gradInput!, outFeatures);
  const { gradWeight } = runKernel(
    denseWeightGradient,
    {
      kind: 'denseWeightGradient',
      ...sizes,
      inputStride: inFeatures,
      gradOutputStride: outFeatures,
      accumulate: false,
    },
    { input, gradOutput },
    { count, literals: { rowStart: 0, rowCount: inFeatures } },
  );
  within('gradWeight', gradWeight!, count);
  if (bias !== undefined) {
    within('gradBias', sumChannels(denseView(1, 1, outFeatures), gradOutput, count), count);
  }
}

function checkAveragePool(subject: Subject): void {
  const { options, get, within } = subject;
  const { window, input, output, count } = poolOf(subject);
  const { countPadding } = options as { countPadding: boolean };
  const forward = runKernel(
    averagePoolForwardFamily,
    { kind: 'averagePoolForward', input, output, window, countPadding },
    { input: get('input') },
    { count },
  );
  within('output', forward.output!, window.height * window.width);
  const backward = runKernel(
    averagePoolBackwardFamily,
    {
      kind: 'averagePoolBackward',
      gradOutput: output,
      gradInput: input,
      window,
      countPadding,
      accumulate: false,
    },
    { gradOutput: get('gradOutput') },
    { count },
  );
  const overlap = Math.ceil(window.height / window.strideY) * Math.ceil(window.width / window.strideX);
  within('gradInput', backward.gradInput!, overlap);
}

function checkMaxPool(subject: Subject): void {
  const { get } = subject;
  const { window, input, output, count } = poolOf(subject);
  const forward = runKernel(
    maxPoolForwardFamily,
    { kind: 'maxPoolForward', input, output, window },
    { input: get('input') },
    { count },
  );
  assertSameValues(forward.output!, get('output'), 'output');
  const backward = runKernel(
    maxPoolBackwardFamily,
    { kind: 'maxPoolBackward', input, gradOutput: output, gradInput: input, window, accumulate: false },
    { input: get('input'), gradOutput: get('gradOutput') },
    { count },
  );
  assertSameValues(backward.gradInput!, get('gradInput'), 'gradInput');
}

/** Window and views of a pooling; the input has a halo that pooling must not read. */
function poolOf({ options, shape }: Subject) {
  const [count, height, width, channels] = shape as [number, number, number, number];
  const window = poolWindow('fixture', [height, width, channels], options);
  return {
    window,
    count,
    input: denseView(height, width, channels, 1),
    output: denseView(...poolOutputSize(window, height, width), channels),
  };
}

function sumChannels(view: View, values: Values, count: number): Values {
  return runKernel(
    channelSum,
    { kind: 'channelSum', view, accumulate: false },
    { values },
    {
      count,
      views: { values: view },
    },
  ).sums!;
}

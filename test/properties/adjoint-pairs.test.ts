/**
 * Layers whose gradient is another layer's forward pass, bit for bit: padding and cropping, joining and slicing
 * channels, repeating pixels and summing windows. Everything runs through plans, on both engines' kernels.
 */
import { test } from 'node:test';
import {
  averagePooling2d,
  concatenate,
  cropping2d,
  upSampling2d,
  zeroPadding2d,
} from '../../src/layers/index.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { elementCount, type Shape } from '../../src/tensor/shape.ts';
import { randomIntegers, specialValues } from '../helpers/arbitraries.ts';
import { probeNetwork, probePlan } from '../helpers/conformance-model.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { sliceChannels } from '../helpers/placement.ts';
import { loadPlan } from '../helpers/run-plan.ts';

const COUNT = 3;
const ENGINES = ['scalar', 'simd'] as const;

/** A layer on a batch of these shapes: what it makes of `inputs`, and of a gradient of its output. */
function run(
  engine: (typeof ENGINES)[number],
  layer: Layer,
  shapes: readonly Shape[],
  given: { inputs?: Float32Array; gradOutput?: Float32Array },
) {
  const { graph, plan, outputs, gradInputs } = probePlan(layer, shapes, { batchSize: COUNT, shardSize: 2 });
  const length = COUNT * shapes.reduce((sum, shape) => sum + elementCount(shape), 0);
  const outputLength = COUNT * elementCount(graph.tensors[graph.output]!);
  const loaded = loadPlan(plan, engine);
  const { inputs = new Float32Array(length), gradOutput = new Float32Array(outputLength) } = given;
  loaded.run({ inputs, targets: gradOutput }, { count: COUNT });
  return {
    output: loaded.read(outputs, outputLength),
    gradInput: loaded.read(gradInputs, length),
  };
}

const margins = [
  [2, 1],
  [0, 3],
] as const;

for (const engine of ENGINES) {
  test(`24: the gradient of padding is cropping, and that of cropping padding (${engine})`, () => {
    const [small, large]: Shape[] = [
      [3, 4, 5],
      [6, 7, 5],
    ];
    const ofLarge = specialValues(1, COUNT * elementCount(large!));
    const ofSmall = specialValues(2, COUNT * elementCount(small!));
    const padding = zeroPadding2d({ padding: margins });
    const cropping = cropping2d({ cropping: margins });
    const padded = run(engine, padding, [small!], { inputs: ofSmall, gradOutput: ofLarge });
    const cropped = run(engine, cropping, [large!], { inputs: ofLarge, gradOutput: ofSmall });
    assertSameBits(padded.gradInput, cropped.output, 'the gradient of padding');
    assertSameBits(cropped.gradInput, padded.output, 'the gradient of cropping');
  });

  test(`24: the gradient of concatenation is slices of its channels (${engine})`, () => {
    const shapes: Shape[] = [3, 1, 6].map((channels) => [2, 3, channels]);
    const gradOutput = specialValues(3, COUNT * 60);
    const { gradInput } = run(engine, concatenate(), shapes, { gradOutput });
    const slices = [
      sliceChannels(gradOutput, 10, 0, 3),
      sliceChannels(gradOutput, 10, 3, 1),
      sliceChannels(gradOutput, 10, 4, 6),
    ];
    const expected = Array.from({ length: COUNT }, (_, n) =>
      slices.flatMap((slice) => [
        ...slice.subarray((n * slice.length) / COUNT, ((n + 1) * slice.length) / COUNT),
      ]),
    ).flat();
    assertSameBits(gradInput, expected);
  });

  test(`24: the gradient of nearest upsampling sums windows, that of the mean of windows repeats a share (${engine})`, () => {
    const [small, large]: Shape[] = [
      [3, 2, 5],
      [6, 6, 5],
    ];
    // Multiples of 6 are divided by the window's pixels without rounding.
    const ofLarge = randomIntegers(4, COUNT * elementCount(large!), 50).map((x) => 6 * x);
    const ofSmall = randomIntegers(5, COUNT * elementCount(small!), 50).map((x) => 6 * x);
    const upsampling = upSampling2d({ size: [2, 3] });
    const pooling = averagePooling2d({ poolSize: [2, 3] });
    const repeated = run(engine, upsampling, [small!], { inputs: ofSmall, gradOutput: ofLarge });
    const pooled = run(engine, pooling, [large!], { inputs: ofLarge, gradOutput: ofSmall });
    assertSameBits(
      repeated.gradInput,
      pooled.output.map((mean) => 6 * mean),
      'sums of windows',
    );
    assertSameBits(
      pooled.gradInput,
      repeated.output.map((x) => x / 6),
      'repeated shares',
    );
  });

  test(`24: where a tensor fans out, its readers' gradients are added (${engine})`, () => {
    const shape: Shape = [2, 3, 4];
    const gradOutput = specialValues(6, COUNT * 48);
    const [first, second] = [0, 4].map((from) => sliceChannels(gradOutput, 8, from, 4));
    const { plan, gradInputs } = probeNetwork((x) => concatenate()([x, x]), shape, {
      batchSize: COUNT,
      shardSize: 2,
    });
    const loaded = loadPlan(plan, engine);
    loaded.run({ inputs: new Float32Array(COUNT * 24), targets: gradOutput }, { count: COUNT });
    assertSameBits(
      loaded.read(gradInputs, COUNT * 24),
      first!.map((g, i) => g + second![i]!),
    );
  });
}

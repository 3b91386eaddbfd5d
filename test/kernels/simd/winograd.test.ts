/**
 * The SIMD Winograd kernels equal their scalar kernels bit for bit: every residue of the sides modulo a tile, any
 * channels, paddings, layouts and ends, blocks of tiles that run across rows and images, and special values.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BASELINE_TARGET } from '../../../src/kernels/simd/twin.ts';
import { winogradForwardTwin } from '../../../src/kernels/simd/winograd-forward.ts';
import { winogradWeightGradientTwin } from '../../../src/kernels/simd/winograd-weight-gradient.ts';
import { winogradWeightsTwin } from '../../../src/kernels/simd/winograd-weights.ts';
import { type WinogradForwardSpec, winogradForward } from '../../../src/kernels/winograd-forward.ts';
import { inputGradientGeometry } from '../../../src/kernels/winograd-geometry.ts';
import {
  type WinogradWeightGradientSpec,
  winogradWeightGradient,
} from '../../../src/kernels/winograd-weight-gradient.ts';
import { winogradWeights } from '../../../src/kernels/winograd-weights.ts';
import { type ConvGeometry, convGeometry, inputHalo } from '../../../src/tensor/convolution.ts';
import type { View } from '../../../src/tensor/view.ts';
import { check, type Slack, slackView } from '../../helpers/arbitraries.ts';
import { assertTwin } from '../../helpers/twin.ts';

/** How sums start, and how they end. */
interface Ends {
  readonly start: 'zero' | 'bias' | 'accumulate';
  readonly activation: 'linear' | 'relu';
  readonly gated?: boolean;
}

const ends: fc.Arbitrary<Ends> = fc.record({
  start: fc.constantFrom('zero', 'bias', 'accumulate'),
  activation: fc.constantFrom('linear', 'relu'),
  gated: fc.boolean(),
});

/** Parts of a vector, of a pair of vectors and of a panel of 16, and several panels. */
const channels = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 9 }) },
  { weight: 1, arbitrary: fc.constantFrom(12, 15, 16, 17, 21, 24, 28, 31, 32, 33, 40) },
);
const side = fc.integer({ min: 1, max: 14 });
const pad = fc.nat(2);

/** `halo`: pixels beyond those needed; `gap`: channels of others between two pixels. */
const slacks: fc.Arbitrary<Slack> = fc.record({ halo: fc.nat(2), gap: fc.constantFrom(0, 0, 1, 4, 11) });

const geometries: fc.Arbitrary<ConvGeometry> = fc
  .record({
    height: side,
    width: side,
    inChannels: channels,
    filters: channels,
    pads: fc.tuple(pad, pad, pad, pad),
  })
  .filter(({ height, width, pads }) => height + pads[0] + pads[2] >= 3 && width + pads[1] + pads[3] >= 3)
  .map(({ height, width, inChannels, filters, pads }) => {
    const [top, right, bottom, left] = pads;
    const padding = { top, right, bottom, left };
    return convGeometry('test', [height, width, inChannels], { filters, kernelSize: 3, padding });
  });

const problems = fc.record({
  geometry: geometries,
  outputTile: fc.constantFrom(2 as const, 4 as const),
  inputSlack: slacks,
  outputSlack: slacks,
  count: fc.nat(5),
  seed: fc.nat(),
  specials: fc.boolean(),
});
type Problem = typeof problems extends fc.Arbitrary<infer P> ? P : never;

const inputView = (g: ConvGeometry, slack: Slack, halo = inputHalo(g)): View =>
  slackView(g.inHeight, g.inWidth, g.inChannels, halo, slack);
const outputView = (g: ConvGeometry, slack: Slack): View =>
  slackView(g.outHeight, g.outWidth, g.outChannels, 0, slack);

function forwardSpec(problem: Problem, { start, activation, gated }: Ends): WinogradForwardSpec {
  const { geometry, outputTile, inputSlack, outputSlack } = problem;
  const input = inputView(geometry, inputSlack);
  const output = outputView(geometry, outputSlack);
  const [bias, accumulate] = [start === 'bias', start === 'accumulate'];
  // The gate lies differently from the output.
  const gate = gated ? { gate: slackView(output.height, output.width, output.channels, 1, inputSlack) } : {};
  const common = { geometry, outputTile, input, output, bias, accumulate, activation, ...gate };
  return { kind: 'winogradForward', ...common };
}

function gradientSpec(problem: Problem, accumulate: boolean, flip: boolean): WinogradWeightGradientSpec {
  const { geometry, outputTile, inputSlack, outputSlack } = problem;
  const input = inputView(geometry, inputSlack);
  const gradOutput = outputView(geometry, outputSlack);
  return { kind: 'winogradWeightGradient', geometry, outputTile, input, gradOutput, accumulate, flip };
}

function assertForward(problem: Problem, ends: Ends): void {
  const { count, seed, specials } = problem;
  const spec = forwardSpec(problem, ends);
  assert.ok(assertTwin(winogradForward, winogradForwardTwin, spec, { count, seed, specials }));
}

function assertWeightGradient(problem: Problem, accumulate: boolean, flip: boolean): void {
  const { count, seed, specials } = problem;
  const spec = gradientSpec(problem, accumulate, flip);
  const options = { count, seed, specials };
  assert.ok(assertTwin(winogradWeightGradient, winogradWeightGradientTwin, spec, options));
}

test('the SIMD forward pass equals the scalar one bit for bit', () => {
  check(fc.tuple(problems, ends), 100, ([problem, ends]) => assertForward(problem, ends));
});

test('so it does as an input gradient, where padding may be negative', () => {
  check(fc.tuple(problems, ends, fc.nat(3)), 30, ([problem, ends, more]) => {
    const { padding, inHeight, inWidth, inChannels, outChannels } = problem.geometry;
    const wider = { ...padding, top: padding.top + more, right: padding.right + more };
    const options = { filters: outChannels, kernelSize: 3, padding: wider };
    const geometry = inputGradientGeometry(convGeometry('test', [inHeight, inWidth, inChannels], options));
    assertForward({ ...problem, geometry }, ends);
  });
});

test('the SIMD weight gradient equals the scalar one bit for bit', () => {
  check(fc.tuple(problems, fc.boolean(), fc.boolean()), 80, ([problem, accumulate, flip]) => {
    assertWeightGradient(problem, accumulate, flip);
  });
});

test('the SIMD transform of weights equals the scalar one bit for bit, for both passes', () => {
  check(fc.tuple(problems, fc.boolean()), 60, ([{ geometry, outputTile, seed, specials }, flip]) => {
    for (const pass of ['forward', 'inputGradient'] as const) {
      const spec = { kind: 'winogradWeights', geometry, outputTile, pass, flip } as const;
      assert.ok(assertTwin(winogradWeights, winogradWeightsTwin, spec, { count: 0, seed, specials }));
    }
  });
});

const TIGHT: Slack = { halo: 0, gap: 0 };
const BORDERS = [
  { top: 0, right: 0, bottom: 0, left: 0 },
  { top: 2, right: 0, bottom: 1, left: 1 },
  { top: 0, right: 2, bottom: 2, left: 1 },
];

for (const outputTile of [2, 4] as const) {
  test(`F(${outputTile},3) in SIMD equals the scalar kernels at every residue of height and width`, () => {
    let seed = 21;
    for (let height = 0; height < outputTile; height++) {
      for (let width = 0; width < outputTile; width++) {
        const padding = BORDERS[seed % BORDERS.length]!;
        const size = [3 + outputTile + height, 3 + outputTile + width, 5] as const;
        const geometry = convGeometry('test', size, { filters: 6, kernelSize: 3, padding });
        const shape = { geometry, outputTile, inputSlack: TIGHT, outputSlack: TIGHT };
        const problem = { ...shape, count: 2, seed: seed++, specials: false };
        assertForward(problem, { start: 'bias', activation: 'linear' });
        assertWeightGradient(problem, false, false);
      }
    }
  });

  test(`F(${outputTile},3) in SIMD equals the scalar kernels where blocks of tiles run across many images`, () => {
    // 3 tiles of 4 an image, or 4 of 2: blocks of 8, 16 and 32 tiles begin and end at any tile of an image.
    const [height, width] = outputTile === 4 ? [3, 11] : [3, 3];
    const options = { filters: 20, kernelSize: 3, padding: 'same' } as const;
    for (const [inChannels, count] of [
      [12, 27],
      [108, 13],
    ] as const) {
      const geometry = convGeometry('test', [height, width, inChannels], options);
      const shape = { geometry, outputTile, inputSlack: TIGHT, outputSlack: TIGHT };
      const problem = { ...shape, count, seed: 21, specials: false };
      assertForward(problem, { start: 'accumulate', activation: 'relu' });
      assertWeightGradient(problem, true, true);
    }
  });
}

test('where the halo is narrower than the padding, SIMD leaves the convolution to the scalar kernels', () => {
  const end = { start: 'zero', activation: 'linear' } as const;
  check(problems, 60, (problem) => {
    const { geometry } = problem;
    const needed = inputHalo(geometry);
    for (let halo = 0; halo <= needed; halo++) {
      const input = inputView(geometry, TIGHT, halo);
      const emitted = [
        winogradForwardTwin.emit({ ...forwardSpec(problem, end), input }, BASELINE_TARGET),
        winogradWeightGradientTwin.emit({ ...gradientSpec(problem, false, false), input }, BASELINE_TARGET),
      ];
      for (const builder of emitted) assert.equal(builder !== undefined, halo === needed, `halo ${halo}`);
    }
  });
});

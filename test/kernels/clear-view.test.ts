import test from 'node:test';
import fc from 'fast-check';
import { type ClearViewSpec, clearViewFamily } from '../../src/kernels/clear-view.ts';
import { clearViewTwin } from '../../src/kernels/simd/clear-view.ts';
import { check, slacks, slackView } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

const cases = fc
  .record({
    height: fc.integer({ min: 1, max: 6 }),
    width: fc.integer({ min: 1, max: 9 }),
    channels: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 30, max: 70 })),
    slack: slacks,
    count: fc.nat(3),
    seed: fc.nat(2 ** 31 - 1),
  })
  .map(({ height, width, channels, slack, count, seed }) => {
    const spec: ClearViewSpec = {
      kind: 'clearView',
      output: slackView(height, width, channels, 0, slack),
    };
    return { spec, count, seed, elements: count * height * width * channels };
  });

test('clear view writes +0 into every channel of every pixel, and nothing else', () => {
  check(cases, 100, ({ spec, count, elements }) => {
    const { output } = runKernel(clearViewFamily, spec, {}, { count });
    assertSameBits(output!, new Float32Array(elements));
  });
});

test('the twin of clear view equals the scalar kernel', () => {
  check(cases, 60, ({ spec, count, seed }) => {
    assertTwin(clearViewFamily, clearViewTwin, spec, { count, seed });
  });
});

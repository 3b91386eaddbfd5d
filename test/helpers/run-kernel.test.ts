/** The kernel runner sees what a kernel may not do. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { f32Buffer, type KernelFamily } from '../../src/kernels/kernel.ts';
import { denseView, type View, viewLead, viewSpan } from '../../src/tensor/view.ts';
import { assertSameBits } from './exact.ts';
import { runKernel } from './run-kernel.ts';

interface CopySpec {
  readonly kind: 'copy';
  readonly input: View;
  readonly output: View;
}

/** A kernel that copies two pixels, and then writes 7 to an element `stray` away from an argument's origin. */
function copyThenStray(argument: 0 | 1, stray: number | undefined): KernelFamily<CopySpec> {
  return {
    kind: 'copy',
    args: ({ input, output }) => [
      f32Buffer('input', 'in', (count) => viewSpan(input, count), viewLead(input)),
      f32Buffer('output', 'out', (count) => viewSpan(output, count), viewLead(output)),
      { name: 'count', access: 'count' },
    ],
    bind:
      ({ input, output }, { f32 }) =>
      (...args) => {
        for (let n = 0; n < args[2]!; n++) {
          const [from, to] = [args[0]! / 4 + n * input.imageStride, args[1]! / 4 + n * output.imageStride];
          f32[to] = f32[from]!;
          f32[to + output.pixelStride] = f32[from + input.pixelStride]!;
        }
        if (stray !== undefined) f32[args[argument]! / 4 + stray] = 7;
      },
  };
}

const spec: CopySpec = {
  kind: 'copy',
  input: denseView(1, 2, 1, 1),
  // A slice of one channel of three, with a halo.
  output: { ...denseView(1, 2, 3, 1), channels: 1 },
};
const run = (argument: 0 | 1, stray?: number) =>
  runKernel(copyThenStray(argument, stray), spec, { input: [1, 2, 3, 4] }, { count: 2 });

describe('the kernel runner', () => {
  it('reads plain arrays back from views with halo and gaps', () => {
    assertSameBits(run(0).output!, [1, 2, 3, 4]);
    assert.deepEqual(Object.keys(run(0)), ['output']);
  });

  it('sees a write to an input, to a halo, to a gap between pixels, and beyond a buffer', () => {
    const places: [0 | 1, number][] = [
      [0, 0],
      [1, -spec.output.pixelStride],
      [1, -viewLead(spec.output)],
      [1, 1],
      [1, viewSpan(spec.output, 2) + 3],
    ];
    for (const [argument, stray] of places) {
      assert.throws(
        () => run(argument, stray),
        /copy wrote to element -?\d+ from the origin of (input|output)/,
      );
    }
  });

  it('shows what a kernel left unwritten as NaN', () => {
    const idle = { bind: () => () => {} };
    const { output } = runKernel(copyThenStray(0, undefined), spec, { input: [1, 2] }, idle);
    assertSameBits(output!, [Number.NaN, Number.NaN]);
  });

  it('wants an array of the right length for every input', () => {
    assert.throws(() => runKernel(copyThenStray(0, undefined), spec, {}), /argument input needs an array/);
    assert.throws(() => runKernel(copyThenStray(0, undefined), spec, { input: [1] }), /length of its array/);
  });
});

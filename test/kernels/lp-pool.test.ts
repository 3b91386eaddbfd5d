import assert from 'node:assert/strict';
import test from 'node:test';
import { ConfigError, ShapeError } from '../../src/errors.ts';
import { type Heap, heapOf } from '../../src/kernels/kernel.ts';
import { type LpPoolBackwardSpec, lpPoolBackwardFamily } from '../../src/kernels/lp-pool-backward.ts';
import { type LpPoolForwardSpec, lpPoolForwardFamily } from '../../src/kernels/lp-pool-forward.ts';
import { lpPoolBackwardTwin } from '../../src/kernels/simd/lp-pool-backward.ts';
import { lpPoolForwardTwin } from '../../src/kernels/simd/lp-pool-forward.ts';
import { poolWindow } from '../../src/tensor/pooling.ts';
import { denseView } from '../../src/tensor/view.ts';
import { check } from '../helpers/arbitraries.ts';
import { poolCases } from '../helpers/pool-cases.ts';
import { runKernel } from '../helpers/run-kernel.ts';
import { assertTwin } from '../helpers/twin.ts';

const [input, output] = [denseView(1, 4, 1), denseView(1, 2, 1)];
const window = poolWindow('test', [1, 4, 1], { poolSize: [1, 2] });

function forward(p: number, ...values: number[]): number[] {
  const spec: LpPoolForwardSpec = { kind: 'lpPoolForward', input, output, window, p };
  return [
    ...runKernel(lpPoolForwardFamily, spec, { input: Float32Array.from(values) }, { count: 1 }).output!,
  ];
}

function backward(p: number, values: number[], gradOutput: number[], start?: number[]): number[] {
  const accumulate = start !== undefined;
  const gradients = { gradOutput: output, gradInput: input };
  const spec: LpPoolBackwardSpec = { kind: 'lpPoolBackward', input, ...gradients, window, p, accumulate };
  const arrays: Record<string, Float32Array> = {
    input: Float32Array.from(values),
    gradOutput: Float32Array.from(gradOutput),
    ...(start && { gradInput: Float32Array.from(start) }),
  };
  return [...runKernel(lpPoolBackwardFamily, spec, arrays, { count: 1 }).gradInput!];
}

test('norms: 3 and 4 make 5, in any range of f32', () => {
  assert.deepEqual(forward(2, 3, -4, 0, 0), [5, 0]);
  const [large, small] = [2 ** 120, 2 ** -140];
  assert.deepEqual(forward(2, 3 * large, 4 * large, 3 * small, -4 * small), [5 * large, 5 * small]);
  assert.deepEqual(forward(1, 1, -2, -3, 4), [3, 7]);
});

test('gradients: the share of the norm, with its sign, 0 where x is 0; written or added', () => {
  assert.deepEqual(backward(2, [3, -4, 0, 0], [5, 7]), [3, -4, 0, 0]);
  assert.deepEqual(backward(2, [3, -4, 0, 0], [5, 7], [1, 2, 3, 4]), [4, -2, 3, 4]);
  assert.deepEqual(backward(1, [3, -4, 0, 2], [5, 7]), [5, -5, 0, 7]);
});

test('NaN reaches the norm of its window alone', () => {
  assert.deepEqual(forward(2, Number.NaN, 1, 3, 4), [Number.NaN, 5]);
  assert.deepEqual(forward(3, 1, Number.NaN, 0, 2), [Number.NaN, 2]);
});

test('views that do not fit the window, and what is no norm, are refused', () => {
  const spec: LpPoolForwardSpec = { kind: 'lpPoolForward', input, output: input, window, p: 2 };
  const heap = heapOf(new ArrayBuffer(64));
  assert.throws(() => lpPoolForwardFamily.bind(spec, heap), ShapeError);
  assert.throws(() => lpPoolForwardFamily.bind({ ...spec, output, p: 0.5 }, heap), ConfigError);
});

test('the twins of norms 1 and 2 equal the scalar kernels, other norms are left to these', () => {
  check(poolCases(21), 40, ({ input: from, output: to, gradInput, window: shape, count, seed }) => {
    const options = { count, seed, specials: seed % 2 === 0 };
    for (const p of [1, 2, 3]) {
      const spec: LpPoolForwardSpec = { kind: 'lpPoolForward', input: from, output: to, window: shape, p };
      assert.equal(assertTwin(lpPoolForwardFamily, lpPoolForwardTwin, spec, options), p < 3);
      for (const accumulate of [false, true]) {
        const views = { input: from, gradOutput: to, gradInput };
        const back: LpPoolBackwardSpec = { kind: 'lpPoolBackward', ...views, window: shape, p, accumulate };
        assert.equal(assertTwin(lpPoolBackwardFamily, lpPoolBackwardTwin, back, options), p < 3);
      }
    }
  });
});

test('windows of zeros have the norm +0 and move no gradient, in the twins too', () => {
  const fill = (name: string, heap: Heap, at: number, length: number) => {
    heap.f32.fill(name === 'input' ? -0 : 1, at, at + length);
  };
  const [from, to] = [denseView(1, 4, 5), denseView(1, 2, 5)];
  for (const p of [1, 2]) {
    const spec: LpPoolForwardSpec = { kind: 'lpPoolForward', input: from, output: to, window, p };
    assert.ok(assertTwin(lpPoolForwardFamily, lpPoolForwardTwin, spec, { count: 2, seed: 3, fill }));
    const views = { input: from, gradOutput: to, gradInput: from };
    const back: LpPoolBackwardSpec = { kind: 'lpPoolBackward', ...views, window, p, accumulate: true };
    assert.ok(assertTwin(lpPoolBackwardFamily, lpPoolBackwardTwin, back, { count: 2, seed: 3, fill }));
  }
});

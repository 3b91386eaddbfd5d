import assert from 'node:assert/strict';
import test from 'node:test';
import { dropout, flatten } from '../../src/layers/index.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import { probePlan } from '../helpers/conformance-model.ts';
import { assertRefusedOptions } from '../helpers/conformance-registry.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { loadPlan } from '../helpers/run-plan.ts';
import { assertWithin } from '../helpers/tolerance.ts';

test('rates outside of 0 to below 1 are refused', () => {
  for (const rate of [1, -0.1, Number.NaN, undefined]) assertRefusedOptions(dropout, { rate }, 'rate');
});

/** Masks of a dropout layer in training: what ones become, [count, 400]. */
function mask({ rate = 0.3, name = 'drop', seed = 5, step = 0, count = 4 }): Float32Array {
  const { plan, outputs } = probePlan(dropout({ rate, name }), [400], { batchSize: 4, shardSize: 1, seed });
  const loaded = loadPlan(plan, 'simd');
  loaded.run({ inputs: new Float32Array(count * 400).fill(1), step }, { count });
  return loaded.read(outputs, count * 400);
}

test('23: it keeps the share 1 - rate, scaled by 1 / (1 - rate)', (t) => {
  let worst = 0;
  for (const rate of [0.1, 0.5, 0.9]) {
    const values = mask({ rate });
    const kept = values.filter((value) => value !== 0);
    assert.ok(kept.every((value) => value === Math.fround(1 / (1 - rate))));
    const share = kept.length / values.length;
    const limit = 5 * Math.sqrt((rate * (1 - rate)) / values.length);
    worst = Math.max(worst, assertWithin([share], [1 - rate], [limit], `rate ${rate}: kept`));
  }
  t.diagnostic(`largest distance/bound ${worst.toFixed(3)}`);
});

test('the mask is a pure function of seed, layer name, step, sample and element', () => {
  const first = mask({});
  assertSameBits(mask({}), first);
  assertSameBits(mask({ count: 2 }), first.slice(0, 800), 'fewer samples');
  const others = [mask({ seed: 6 }), mask({ name: 'other' }), mask({ step: 1 })];
  const samples = [0, 1, 2, 3].map((i) => first.slice(i * 400, (i + 1) * 400));
  for (const masks of [[first, ...others], samples]) {
    const distinct = new Set(masks.map((values) => values.join()));
    assert.equal(distinct.size, masks.length);
  }
});

test('flatten is row-major, so NHWC', () => {
  assert.deepEqual(sequentialGraph([3, 4, 2], [flatten()]).tensors[1], [24]);
  assert.deepEqual(sequentialGraph([3, 4, 2], [flatten({ name: 'flat' })]).nodes[0]!.name, 'flat');
});

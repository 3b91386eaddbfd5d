import assert from 'node:assert/strict';
import test from 'node:test';
import {
  add,
  dense,
  functional,
  gaussianNoise,
  input,
  sgd,
  spatialDropout2d,
  stochasticDepth,
} from '../../src/index.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { elementCount, type Shape } from '../../src/tensor/shape.ts';
import { testEngine } from '../helpers/conformance-data.ts';
import { probePlan } from '../helpers/conformance-model.ts';
import { assertRefusedOptions, assertRefusedShape } from '../helpers/conformance-registry.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { loadPlan } from '../helpers/run-plan.ts';

test('rates outside of 0 to below 1, and deviations that are none, are refused by name', () => {
  for (const rate of [1, -0.1, Number.NaN, '0.5']) {
    assertRefusedOptions(stochasticDepth, { rate }, 'rate');
    assertRefusedOptions(spatialDropout2d, { rate }, 'rate');
  }
  assertRefusedOptions(spatialDropout2d, {}, 'rate');
  for (const stddev of [-1, Infinity, undefined]) assertRefusedOptions(gaussianNoise, { stddev }, 'stddev');
  assert.throws(() => gaussianNoise({ stddev: -1, name: 'mine' }), {
    message: 'gaussianNoise "mine": stddev: expected a finite number from 0 on, got -1',
  });
  assert.throws(() => stochasticDepth({ rate: 1, name: 'mine' }), {
    message: 'stochasticDepth "mine": rate: expected a number from 0 to below 1, got 1',
  });
});

test('spatialDropout2d takes images alone', () => {
  assertRefusedShape(spatialDropout2d({ rate: 0.5, name: 'mine' }), [12]);
});

test('a branch is left out for half of the samples where nothing else is said, as in Keras', () => {
  assert.deepEqual(stochasticDepth().config, { rate: 0.5 });
});

/** What a layer makes of ones while training. */
function trained(layer: Layer, shape: Shape, count: number, { step = 0, seed = 5, shardSize = 1 } = {}) {
  const { plan, outputs } = probePlan(layer, shape, { batchSize: count, shardSize, seed });
  const loaded = loadPlan(plan, 'simd');
  const length = count * elementCount(shape);
  loaded.run({ inputs: new Float32Array(length).fill(1), step }, { count });
  return loaded.read(outputs, length);
}

/** Throws unless a share of trials is 1 - rate, to five standard deviations. */
function assertShare(kept: number, trials: number, rate: number): void {
  const limit = 5 * Math.sqrt((rate * (1 - rate)) / trials);
  assert.ok(Math.abs(kept / trials - (1 - rate)) <= limit, `${kept} of ${trials} at rate ${rate}`);
}

test('stochastic depth keeps or drops whole samples, scaled by 1 / (1 - rate)', () => {
  for (const rate of [0.1, 0.5, 0.8]) {
    const values = trained(stochasticDepth({ rate, name: 'depth' }), [3, 5, 2], 400);
    let kept = 0;
    for (let i = 0; i < 400; i++) {
      const sample = new Set(values.slice(i * 30, (i + 1) * 30));
      assert.equal(sample.size, 1);
      const [value] = [...sample];
      assert.ok(value === 0 || value === Math.fround(1 / (1 - rate)));
      if (value !== 0) kept += 1;
    }
    assertShare(kept, 400, rate);
  }
});

test('spatial dropout keeps or drops whole channels of a sample', () => {
  const [rate, channels, samples] = [0.3, 40, 20];
  const values = trained(spatialDropout2d({ rate, name: 'drop' }), [2, 3, channels], samples);
  let kept = 0;
  for (let i = 0; i < samples * channels; i++) {
    const [sample, c] = [Math.floor(i / channels), i % channels];
    const found = new Set([0, 1, 2, 3, 4, 5].map((pixel) => values[(sample * 6 + pixel) * channels + c]!));
    assert.equal(found.size, 1);
    if (!found.has(0)) kept += 1;
  }
  assertShare(kept, samples * channels, rate);
});

test('noise has mean 0 and its standard deviation', () => {
  const values = trained(gaussianNoise({ stddev: 0.5, name: 'noise' }), [1000], 20);
  const n = values.length;
  const mean = values.reduce((sum, x) => sum + x - 1, 0) / n;
  const variance = values.reduce((sum, x) => sum + (x - 1 - mean) ** 2, 0) / n;
  assert.ok(Math.abs(mean) <= (5 * 0.5) / Math.sqrt(n), `mean ${mean}`);
  // The variance of normal squares is 2 sigma^4.
  assert.ok(Math.abs(variance - 0.25) <= 5 * 0.25 * Math.sqrt(2 / n), `variance ${variance}`);
});

test('what is drawn is a function of seed, layer name, step and sample, not of shards', () => {
  const kinds = {
    depth: (name: string) => stochasticDepth({ name }),
    drop: (name: string) => spatialDropout2d({ rate: 0.5, name }),
    noise: (name: string) => gaussianNoise({ stddev: 1, name }),
  };
  for (const make of Object.values(kinds)) {
    const first = trained(make('a'), [2, 2, 6], 64);
    assertSameBits(trained(make('a'), [2, 2, 6], 64, { shardSize: 7 }), first);
    const others = [
      trained(make('b'), [2, 2, 6], 64),
      trained(make('a'), [2, 2, 6], 64, { step: 1 }),
      trained(make('a'), [2, 2, 6], 64, { seed: 6 }),
    ];
    const distinct = new Set([first, ...others].map((values) => values.join()));
    assert.equal(distinct.size, 4);
  }
});

test('a dropped residual branch gets no gradient, and its shortcut all of it', async () => {
  const options = { engine: testEngine({ threads: 1 }), optimizer: sgd({ learningRate: 0.01 }) };
  const x = input({ shape: [4] });
  const branch = stochasticDepth({ rate: 0.5, name: 'depth' })(dense({ units: 4, name: 'branch' })(x));
  await using model = functional({
    inputs: x,
    outputs: dense({ units: 3, activation: 'softmax', name: 'head' })(add()([x, branch])),
    seed: 3,
  });
  const inputs = Float32Array.of(0.1, -0.2, 0.3, 0.4);
  let [dropped, kept] = [0, 0];
  for (let i = 0; i < 24; i++) {
    const before = model.getWeights()['branch/weight']!.data;
    const headBefore = model.getWeights()['head/weight']!.data;
    await model.trainOnBatch({ inputs, targets: Int32Array.of(i % 3) }, options);
    const moved = model.getWeights()['branch/weight']!.data.some((w, k) => w !== before[k]);
    assert.ok(model.getWeights()['head/weight']!.data.some((w, k) => w !== headBefore[k]));
    if (moved) kept += 1;
    else dropped += 1;
  }
  assert.ok(kept > 0 && dropped > 0, `${kept} kept, ${dropped} dropped`);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../src/errors.ts';
import { boxMuller, elementWord, streamKey } from '../../src/math/random.ts';
import {
  checkInitializer,
  convFans,
  type Fans,
  fillInitializer,
  type Initializer,
} from '../../src/tensor/initializers.ts';

const key = streamKey(21, 'weights', 'conv2d_1');
const fans = { fanIn: 30, fanOut: 50 };

function filled(initializer: Initializer, size: number, stream = key, sizes: Fans = fans): Float32Array {
  const out = new Float32Array(size).fill(Number.NaN);
  fillInitializer(initializer, out, sizes, stream);
  return out;
}

// Variance and largest magnitude of each, from Keras' definitions.
const truncation = 2 / 0.87962566103423978;
const laws: { initializer: Initializer; variance: number; limit: number; mean?: number }[] = [
  { initializer: 'glorotUniform', variance: 2 / 80, limit: Math.sqrt(6 / 80) },
  { initializer: 'heUniform', variance: 2 / 30, limit: Math.sqrt(6 / 30) },
  { initializer: 'lecunUniform', variance: 1 / 30, limit: Math.sqrt(3 / 30) },
  { initializer: 'glorotNormal', variance: 2 / 80, limit: truncation * Math.sqrt(2 / 80) },
  { initializer: 'heNormal', variance: 2 / 30, limit: truncation * Math.sqrt(2 / 30) },
  { initializer: 'lecunNormal', variance: 1 / 30, limit: truncation * Math.sqrt(1 / 30) },
  { initializer: { name: 'randomUniform' }, variance: 0.01 / 12, limit: 0.05 },
  { initializer: { name: 'randomUniform', minval: 1, maxval: 3 }, mean: 2, variance: 4 / 12, limit: 1 },
  { initializer: { name: 'randomNormal', mean: -3, stddev: 2 }, mean: -3, variance: 4, limit: Infinity },
  {
    initializer: { name: 'truncatedNormal', mean: 1, stddev: 2 },
    mean: 1,
    variance: 4 * 0.87962566103423978 ** 2,
    limit: 4,
  },
  {
    initializer: { name: 'varianceScaling', scale: 3, mode: 'fanOut', distribution: 'untruncatedNormal' },
    variance: 3 / 50,
    limit: Infinity,
  },
  { initializer: { name: 'varianceScaling' }, variance: 1 / 30, limit: truncation * Math.sqrt(1 / 30) },
];

for (const { initializer, variance, limit, mean = 0 } of laws) {
  test(`${JSON.stringify(initializer)} has the mean, the variance and the bounds of Keras' definition`, () => {
    const count = 20000;
    const out = filled(initializer, count);
    let sum = 0;
    let squares = 0;
    let largest = 0;
    for (const value of out) {
      const off = value - mean;
      sum += off;
      squares += off * off;
      largest = Math.max(largest, Math.abs(off));
    }
    assert.ok(Math.abs(sum / count) <= 5 * Math.sqrt(variance / count), `mean off by ${sum / count}`);
    // Var(x^2) is at most 2 variance^2 for the normal and less for the others.
    assert.ok(Math.abs(squares / count / variance - 1) <= 5 * Math.sqrt(2 / count), `${squares / count}`);
    assert.ok(largest <= Math.fround(limit) && (limit === Infinity || largest > 0.99 * limit), `${largest}`);
  });
}

test('zeros, ones and constant fill with their value', () => {
  assert.deepEqual(filled('zeros', 3), new Float32Array(3));
  assert.deepEqual(filled('ones', 3), new Float32Array(3).fill(1));
  assert.deepEqual(filled({ name: 'constant', value: 0.1 }, 3), new Float32Array(3).fill(0.1));
});

test('element i depends on the key and on i alone: a shorter tensor is a prefix of a longer one', () => {
  const names = ['glorotUniform', 'heNormal'] as const;
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.integer({ min: 0, max: 600 }), (name, size) => {
      assert.deepEqual(filled(name, size), filled(name, 600).subarray(0, size));
    }),
    { numRuns: 60, seed: 21 },
  );
  for (const name of names) {
    assert.notDeepEqual(filled(name, 16), filled(name, 16, streamKey(21, 'weights', 'conv2d_2')));
    assert.notDeepEqual(filled(name, 16), filled(name, 16, streamKey(22, 'weights', 'conv2d_1')));
  }
});

test('elements are addressed as documented; a value redrawn takes its own further samples', () => {
  const count = 500;
  const uniforms = filled({ name: 'randomUniform', minval: -1, maxval: 1 }, count);
  const normals = filled({ name: 'truncatedNormal', stddev: 1 }, count);
  let redrawn = 0;
  for (let i = 0; i < count; i++) {
    assert.equal(uniforms[i], Math.fround((2 * elementWord(key, i) + 1) / 2 ** 32 - 1));
    let attempt = -1;
    let z: number;
    do {
      attempt += 1;
      const u = (elementWord(key, i, 2 * attempt) + 0.5) / 2 ** 32;
      z = boxMuller(u, elementWord(key, i, 2 * attempt + 1) / 2 ** 32);
    } while (Math.abs(z) > 2);
    if (attempt > 0) redrawn += 1;
    assert.equal(normals[i], Math.fround(z));
  }
  // 4.55% of 500, and five standard deviations around it.
  assert.ok(redrawn > 0 && redrawn < 46, `${redrawn} redrawn`);
});

test('convFans counts the taps, per group on the way in', () => {
  assert.deepEqual(convFans(3, 5, 7, 11), { fanIn: 105, fanOut: 165 });
});

test('checkInitializer returns what is right and refuses the rest with a ConfigError that says what is', () => {
  const right: unknown[] = ['heNormal', { name: 'constant', value: 1 }, { name: 'randomNormal', stddev: 0 }];
  for (const value of right) assert.equal(checkInitializer('conv2d', 'kernelInitializer', value), value);
  const wrong: unknown[] = [
    'he_normal',
    'toString',
    '',
    undefined,
    null,
    3,
    {},
    { name: 'heNormal' },
    { name: 'constructor' },
    { name: 'constant' },
    { name: 'constant', value: Number.NaN },
    { name: 'constant', value: '1' },
    { name: 'randomUniform', minval: 1, maxval: 0 },
    { name: 'randomUniform', minval: 1 },
    { name: 'randomUniform', minimum: 1 },
    { name: 'randomNormal', stddev: -1 },
    { name: 'varianceScaling', mode: 'fan_in' },
    { name: 'varianceScaling', distribution: 'normal' },
    { name: 'varianceScaling', scale: Infinity },
  ];
  for (const value of wrong) {
    assert.throws(
      () => checkInitializer('conv2d', 'kernelInitializer', value),
      ConfigError,
      JSON.stringify(value),
    );
  }
  assert.throws(() => checkInitializer('dense', 'kernelInitializer', { name: 'randomNormal', stddev: -1 }), {
    message:
      'dense: kernelInitializer: expected randomNormal with sensible mean, stddev, got {"name":"randomNormal","stddev":-1}',
  });
  assert.throws(
    () => checkInitializer('dense', 'biasInitializer', 'zeroes'),
    /expected one of glorotUniform, /,
  );
});

test('fillInitializer refuses fans that are not positive, where it needs them', () => {
  for (const fanIn of [0, -1, Number.NaN, Infinity]) {
    assert.throws(() => filled('glorotUniform', 1, key, { fanIn, fanOut: 1 }), ConfigError);
    assert.deepEqual(filled('ones', 1, key, { fanIn, fanOut: 1 }), Float32Array.of(1));
  }
});

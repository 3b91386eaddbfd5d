import assert from 'node:assert/strict';
import test from 'node:test';
import { cifarNotebook, sequential } from '../../src/index.ts';
import { summaryRows } from '../../src/model/summary.ts';

const model = sequential({ inputShape: [32, 32, 3], seed: 21 }, cifarNotebook());

test('the notebook’s network has the table of the seed', () => {
  const rows = summaryRows(model.graph);
  const weighted = rows.filter(({ parameters }) => parameters > 0);
  assert.deepEqual(
    weighted.map(({ parameters }) => parameters),
    [896, 9_248, 18_496, 36_928, 73_856, 147_584, 262_272, 8_256, 650],
  );
  assert.equal(model.parameterCount, 558_186);
  assert.deepEqual(
    rows.map(({ outputShape }) => outputShape.join('x')),
    [
      ...['32x32x32', '32x32x32', '16x16x32'],
      ...['16x16x64', '16x16x64', '8x8x64'],
      ...['8x8x128', '8x8x128', '4x4x128'],
      ...['2048', '2048', '128', '64', '10'],
    ],
  );
});

test('its forward pass takes 38,904,448 multiply-adds', () => {
  const work = summaryRows(model.graph).map(({ multiplyAdds }) => multiplyAdds);
  const convolutions = [
    1024 * 9 * 3 * 32,
    1024 * 9 * 32 * 32,
    256 * 9 * 32 * 64,
    256 * 9 * 64 * 64,
    64 * 9 * 64 * 128,
    64 * 9 * 128 * 128,
  ];
  assert.deepEqual(
    work.filter((count) => count > 0),
    [...convolutions, 2048 * 128, 128 * 64, 64 * 10],
  );
  assert.equal(
    work.reduce((sum, count) => sum + count, 0),
    38_904_448,
  );
});

test('summary() prints both totals', () => {
  assert.match(model.summary(), /^Parameters: 558,186$/m);
  assert.match(model.summary(), /^Multiply-adds of the forward pass: 38,904,448 an image$/m);
  assert.match(model.summary(), /^conv2d_1 \(conv2d\) +\[N, 32, 32, 32\] +9,248 +9,437,184$/m);
});

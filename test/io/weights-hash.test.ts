import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { weightsSha256 } from '../../src/index.ts';

const model = (...tensors: number[][]) => ({
  getWeights: () =>
    Object.fromEntries(tensors.map((data, i) => [`layer/${i}`, { data: Float32Array.from(data) }])),
});

test('the hash is SHA-256 over all parameters in order, as little-endian f32', () => {
  const bytes = Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0xcd, 0xcc, 0xcc, 0x3d);
  const expected = createHash('sha256').update(bytes).digest('hex');
  assert.equal(weightsSha256(model([1, -2], [0.1])), expected);
  assert.equal(
    weightsSha256(model([1], [-2, 0.1])),
    expected,
    'where one tensor ends is in the shapes, not here',
  );
});

test('the hash of no weights is that of nothing', () => {
  assert.equal(weightsSha256(model()), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('a bit, a sign of zero or another order changes it', () => {
  const hashes = [
    [1, 0, 2],
    [1, -0, 2],
    [1 + 2 ** -23, 0, 2],
    [0, 1, 2],
  ].map((data) => weightsSha256(model(data)));
  assert.equal(new Set(hashes).size, 4);
});

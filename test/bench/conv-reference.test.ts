import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { CONV_PASSES } from '../../bench/conv-kernels.ts';
import { coprimeStride, referenceElement, relativeError } from '../../bench/conv-reference.ts';
import { type ConvGeometry, weightCount } from '../../src/tensor/convolution.ts';
import { check, convCases, randomValues, SEED } from '../helpers/arbitraries.ts';
import { convForward, convInputGradient, convWeightGradient } from '../helpers/oracle.ts';

function arraysOf(g: ConvGeometry, count: number, seed: number) {
  return {
    count,
    input: randomValues(seed, count * g.inHeight * g.inWidth * g.inChannels, -1, 1),
    weight: randomValues(seed + 1, weightCount(g), -1, 1),
    gradOutput: randomValues(seed + 2, count * g.outHeight * g.outWidth * g.outChannels, -1, 1),
  };
}

test('every element of the three passes is the one that the oracle has', () => {
  check(convCases(), 60, ({ geometry: g, count, seed }) => {
    const arrays = arraysOf(g, count, seed);
    const oracle = {
      forward: convForward(g, arrays.input, arrays.weight, count),
      inputGradient: convInputGradient(g, arrays.gradOutput, arrays.weight, count),
      weightGradient: convWeightGradient(g, arrays.input, arrays.gradOutput, count),
    };
    for (const pass of CONV_PASSES) {
      const magnitude = Math.max(1, ...oracle[pass].map(Math.abs));
      oracle[pass].forEach((expected, i) => {
        const received = referenceElement(g, pass, arrays, i);
        assert.ok(Math.abs(received - expected) <= 1e-12 * magnitude, `${pass}[${i}]`);
      });
    }
  });
});

test('the relative error is that of rounding for a rounded result, and 1 for one of zeros', () => {
  check(convCases(), 30, ({ geometry: g, count, seed }) => {
    const arrays = arraysOf(g, count, seed);
    const exact = convForward(g, arrays.input, arrays.weight, count);
    if (exact.every((value) => value === 0)) return;
    assert.ok(relativeError(g, 'forward', arrays, Float32Array.from(exact), 4000) <= 2 ** -24);
    assert.equal(relativeError(g, 'forward', arrays, new Float32Array(exact.length), 4000), 1);
  });
});

test('the stride comes to every element once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 3000 }), (length) => {
      const stride = coprimeStride(length);
      const seen = new Set(Array.from({ length }, (_, i) => (i * stride) % length));
      assert.equal(seen.size, length);
    }),
    { seed: SEED },
  );
});

/**
 * What must not change a bit of the three passes (the numerics' item 3): scaling by powers of two, signs,
 * batch-mates, the order of channels, and how views lie in memory.
 */
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { check, convCases, type Domain, uniforms } from '../helpers/arbitraries.ts';
import { assertSameBits, assertSameValues } from '../helpers/exact.ts';
import { direct, drawArrays, PASSES, type PassName } from '../helpers/oracle-checks.ts';
import { directForward, directInputGradient, directWeightGradient } from '../helpers/run-convolution.ts';

/** Channels on both sides of a vector's and a panel's width. */
const WIDE: Domain = { kernel: [1, 3], groups: 2, inChannels: 20, outChannels: 20, size: 4, count: 2 };

/** A pass's two arrays. */
function operands(pass: PassName, arrays: ReturnType<typeof drawArrays>): [Float32Array, Float32Array] {
  const { input, weight, gradOutput } = arrays;
  if (pass === 'forward') return [input, weight];
  return pass === 'inputGradient' ? [gradOutput, weight] : [input, gradOutput];
}

/** A random order of 0 to length-1. */
function randomOrder(seed: number, length: number): number[] {
  const next = uniforms(seed);
  const keys = Array.from({ length }, next);
  return keys.map((_, i) => i).sort((a, b) => keys[a]! - keys[b]!);
}

/** [outer, order.length, inner]: element i of the middle axis comes from order[i]. */
function reorder(values: Float32Array, order: readonly number[], inner: number): Float32Array {
  return values.map((_, i) => {
    const [middle, outer] = [Math.floor(i / inner) % order.length, Math.floor(i / inner / order.length)];
    return values[(outer * order.length + order[middle]!) * inner + (i % inner)]!;
  });
}

/** An order of each group's channels, groups staying in place. */
function withinGroups(order: readonly number[], groups: number): number[] {
  return Array.from({ length: groups }, (_, group) => order.map((i) => group * order.length + i)).flat();
}

describe('the bits of direct convolution', () => {
  for (const pass of PASSES) {
    it(`3: ${pass}: a factor of 2^k or of -1 on either array is one on the result`, () => {
      check(fc.tuple(convCases(), fc.integer({ min: -12, max: 12 })), 150, ([tried, exponent]) => {
        const factor = 2 ** exponent;
        const run = (a: Float32Array, b: Float32Array) => direct[pass](tried.geometry, a, b, tried);
        const [a, b] = operands(pass, drawArrays(tried));
        const times = (values: Float32Array, by: number) => values.map((value) => value * by);
        const result = run(a, b);
        assertSameBits(run(times(a, factor), b), times(result, factor));
        assertSameBits(run(a, times(b, factor)), times(result, factor));
        assertSameValues(run(times(a, -1), b), times(result, -1));
        assertSameValues(run(a, times(b, -1)), times(result, -1));
      });
    });

    it(`${pass}: halo, gaps between pixels and the rest of the memory do not matter`, () => {
      check(convCases(), 100, (tried) => {
        const [a, b] = operands(pass, drawArrays(tried));
        const tight = { ...tried, slack: { halo: 0, gap: 0 } };
        assertSameBits(direct[pass](tried.geometry, a, b, tried), direct[pass](tried.geometry, a, b, tight));
      });
    });
  }

  it("3: a sample's output and gradient do not depend on its batch-mates", () => {
    check(convCases(), 100, (tried) => {
      const { geometry: g, count } = tried;
      const { input, weight, gradOutput, bias } = drawArrays(tried);
      const sample = (values: Float32Array, n: number) =>
        values.slice((n * values.length) / count, ((n + 1) * values.length) / count);
      const output = directForward(g, input, weight, { ...tried, bias });
      const gradInput = directInputGradient(g, gradOutput, weight, tried);
      for (let n = 0; n < count; n++) {
        const alone = { ...tried, count: 1 };
        assertSameBits(directForward(g, sample(input, n), weight, { ...alone, bias }), sample(output, n));
        assertSameBits(directInputGradient(g, sample(gradOutput, n), weight, alone), sample(gradInput, n));
      }
    });
  });

  it('accumulating the weight gradient sample by sample is the gradient of the batch', () => {
    check(convCases(), 100, (tried) => {
      const { geometry: g, count } = tried;
      const { input, gradOutput } = drawArrays(tried);
      const sample = (values: Float32Array, n: number) =>
        values.slice((n * values.length) / count, ((n + 1) * values.length) / count);
      let sum: Float32Array | undefined;
      for (let n = 0; n < count; n++) {
        const options = { ...tried, count: 1, onto: sum };
        sum = directWeightGradient(g, sample(input, n), sample(gradOutput, n), options);
      }
      assertSameBits(sum!, directWeightGradient(g, input, gradOutput, tried));
    });
  });

  it('3: permuting output channels within their groups permutes the results', () => {
    check(convCases(WIDE), 100, (tried) => {
      const { geometry: g, seed } = tried;
      const order = withinGroups(randomOrder(seed, g.outChannels / g.groups), g.groups);
      const permuted = (values: Float32Array) => reorder(values, order, 1);
      const { input, weight, gradOutput, bias } = drawArrays(tried);
      assertSameBits(
        directForward(g, input, permuted(weight), { ...tried, bias: permuted(bias) }),
        permuted(directForward(g, input, weight, { ...tried, bias })),
      );
      assertSameBits(
        directWeightGradient(g, input, permuted(gradOutput), tried),
        permuted(directWeightGradient(g, input, gradOutput, tried)),
      );
    });
  });

  it('3: permuting input channels within their groups permutes the gradients', () => {
    check(convCases(WIDE), 100, (tried) => {
      const { geometry: g, seed } = tried;
      const order = randomOrder(seed, g.inChannels / g.groups);
      const images = (values: Float32Array) => reorder(values, withinGroups(order, g.groups), 1);
      const weights = (values: Float32Array) => reorder(values, order, g.outChannels);
      const { input, weight, gradOutput } = drawArrays(tried);
      assertSameBits(
        directInputGradient(g, gradOutput, weights(weight), tried),
        images(directInputGradient(g, gradOutput, weight, tried)),
      );
      assertSameBits(
        directWeightGradient(g, images(input), gradOutput, tried),
        weights(directWeightGradient(g, input, gradOutput, tried)),
      );
    });
  });
});

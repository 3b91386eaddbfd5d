import assert from 'node:assert/strict';
import test from 'node:test';
import { assembleModule, FunctionBuilder, type Local } from '../../../src/kernels/simd/assembler/index.ts';
import { pushCosPair } from '../../../src/kernels/simd/cos-pair.ts';
import { pushLogPair } from '../../../src/kernels/simd/log-pair.ts';
import { log } from '../../../src/math/log.ts';
import { cos } from '../../../src/math/trigonometry.ts';
import { uniforms } from '../../helpers/arbitraries.ts';
import { assertSameBits } from '../../helpers/exact.ts';

const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });

/** The function on lists of doubles, two at a time. */
function onPairs(push: (b: FunctionBuilder, x: Local) => void): (xs: readonly number[]) => number[] {
  const b = new FunctionBuilder('pair', [['at', 'i32']]);
  const x = b.local('v128', 'x');
  b.get(b.param('at')).memory('v128.load').set(x).get(b.param('at'));
  push(b, x);
  b.memory('v128.store');
  const module = new WebAssembly.Module(assembleModule([b]));
  const run = new WebAssembly.Instance(module, { env: { memory } }).exports['0'] as (at: number) => void;
  const lanes = new Float64Array(memory.buffer, 32, 2);
  return (xs) => {
    assert.equal(xs.length % 2, 0);
    const results: number[] = [];
    for (let i = 0; i < xs.length; i += 2) {
      lanes.set(xs.slice(i, i + 2));
      run(32);
      results.push(...lanes);
    }
    return results;
  };
}

/** x and its neighbours among the doubles, twice each so that both lanes see them. */
function around(x: number): number[] {
  const below = x * (1 - 2 ** -53);
  const above = x * (1 + 2 ** -52);
  return [below, x, above, below, x, above];
}

test('the logarithms of two lanes have the bits of math/log', () => {
  const logs = onPairs(pushLogPair);
  const ends = [2 ** -1022, Number.MAX_VALUE, 2 ** -53, 1 - 2 ** -53].flatMap((x) => [x, 1, x, x]);
  const edges = [...ends, ...[0.5, Math.SQRT1_2, 1, Math.SQRT2, 2].flatMap(around)];
  assertSameBits(logs(edges), edges.map(log));
  const random = uniforms(5);
  const xs = Array.from({ length: 20_000 }, () => random() + 2 ** -53);
  assertSameBits(logs(xs), xs.map(log));
});

test('the cosines of two lanes have the bits of math/trigonometry, from 0 over every quarter turn', () => {
  const cosines = onPairs(pushCosPair);
  const eighths = Array.from({ length: 20 }, (_, i) => around((i * Math.PI) / 4)).flat();
  const small = [0, 5e-324, 2 ** -1022, 2 ** -53, 2 ** -27, 1e-9];
  assertSameBits(cosines([...small, ...eighths]), [...small, ...eighths].map(cos));
  const random = uniforms(6);
  const turns = Array.from({ length: 20_000 }, () => 2 * Math.PI * random());
  assertSameBits(cosines(turns), turns.map(cos));
  const far = Array.from({ length: 2_000 }, () => 1_647_099 * random());
  assertSameBits(cosines(far), far.map(cos));
});

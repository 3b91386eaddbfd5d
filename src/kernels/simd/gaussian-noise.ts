/**
 * The SIMD twin of ../gaussian-noise.ts: four elements at a time, whose Philox blocks are one a lane; Box and Muller's
 * formula on two lanes of f64.
 */
import { TWO_PI, ULP_53 } from '../../math/random.ts';
import { checkGaussianNoise, type GaussianNoiseSpec, gaussianNoiseFamily } from '../gaussian-noise.ts';
import { elementsPerImage } from '../pixels.ts';
import { FunctionBuilder, type Local } from './assembler/index.ts';
import { pushCosPair } from './cos-pair.ts';
import { pushLogPair } from './log-pair.ts';
import { philoxRounds, philoxState } from './philox.ts';
import { forEachPiece, forEachRun, loadPiece, storePiece } from './rows.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const gaussianNoiseTwin: SimdTwin<GaussianNoiseSpec> = {
  kind: 'gaussianNoise',
  emit(spec) {
    checkGaussianNoise(spec);
    const b = twinFunction(gaussianNoiseFamily, spec);
    const noisy = noisyFunction(spec.stddev);
    const element = b.local('i32', 'element');
    const sample = b.local('i32', 'sample');
    const result = b.local('v128', 'result');
    const buffers = [
      { origin: b.param('input'), view: spec.input },
      { origin: b.param('output'), view: spec.output },
    ];
    b.get(b.param('firstSample')).set(sample);
    forEachRun(b, buffers, b.param('count'), (pointers, length) => {
      const [from, to] = pointers as [Local, Local];
      forEachPiece(
        b,
        pointers,
        length,
        (pieces) => {
          for (const piece of pieces) {
            loadPiece(b, from, piece);
            b.get(element).get(sample).get(b.param('step'));
            b.get(b.param('key0')).get(b.param('key1')).call(noisy).set(result);
            storePiece(b, to, piece, result);
            b.advance(element, piece.lanes);
          }
        },
        1,
      );
      b.get(element)
        .i32(elementsPerImage(spec.input))
        .op('i32.eq')
        .if(() => {
          b.i32(0).set(element);
          b.advance(sample, 1);
        });
    });
    return b;
  },
};

/** (values, element, sample, step, key0, key1): the noisy values of `element` and the three after it. */
function noisyFunction(stddev: number): FunctionBuilder {
  const words = ['element', 'sample', 'step', 'key0', 'key1'] as const;
  const params = words.map((name) => [name, 'i32'] as const);
  const b = new FunctionBuilder('noisy', [['values', 'v128'], ...params], ['v128']);
  const state = philoxState(b);
  const [c0, c1, c2, c3] = state.words;
  b.get(b.param('element')).op('i32x4.splat').i32x4([0, 1, 2, 3]).op('i32x4.add').set(c0);
  b.get(b.param('sample')).op('i32x4.splat').set(c1);
  b.get(b.param('step')).memory('v128.load32_splat', 0).set(c2);
  b.get(b.param('step')).memory('v128.load32_splat', 4).set(c3);
  b.get(b.param('key0')).op('i32x4.splat').set(state.key[0]);
  b.get(b.param('key1')).op('i32x4.splat').set(state.key[1]);
  philoxRounds(b, state)();
  const deviates = deviatesFunction();
  const x = b.param('values');
  const pushNoisy = (lanes: readonly [number, number]) => {
    const push = (vector: Local) =>
      b
        .get(vector)
        .get(vector)
        .shuffleLanes([...lanes, ...lanes]);
    push(x).op('f64x2.promote_low_f32x4').f64x2(stddev);
    for (const word of state.words) push(word);
    b.call(deviates).op('f64x2.mul').op('f64x2.add').op('f32x4.demote_f64x2_zero');
  };
  pushNoisy([0, 1]);
  pushNoisy([2, 3]);
  return b.shuffleLanes([0, 1, 4, 5]);
}

/** Two standard normal deviates of the four words of two blocks, in lanes 0 and 1: `normal` of math/random.ts. */
function deviatesFunction(): FunctionBuilder {
  const words = ['word0', 'word1', 'word2', 'word3'] as const;
  const b = new FunctionBuilder(
    'deviates',
    words.map((name) => [name, 'v128'] as const),
    ['v128'],
  );
  const u = b.local('v128', 'u');
  const angle = b.local('v128', 'angle');
  pushFraction(b, b.param('word0'), b.param('word1'));
  b.f64x2(ULP_53).op('f64x2.add').set(u);
  b.f64x2(TWO_PI);
  pushFraction(b, b.param('word2'), b.param('word3'));
  b.op('f64x2.mul').set(angle);
  b.f64x2(-2);
  pushLogPair(b, u);
  b.op('f64x2.mul').op('f64x2.sqrt');
  pushCosPair(b, angle);
  return b.op('f64x2.mul');
}

/** Pushes 27 bits of one word and 26 of another as fractions in [0, 1). */
function pushFraction(b: FunctionBuilder, high: Local, low: Local): void {
  b.get(high).i32(5).op('i32x4.shr_u').op('f64x2.convert_low_i32x4_u').f64x2(67108864).op('f64x2.mul');
  b.get(low).i32(6).op('i32x4.shr_u').op('f64x2.convert_low_i32x4_u').op('f64x2.add');
  b.f64x2(ULP_53).op('f64x2.mul');
}

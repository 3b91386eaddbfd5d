/** The SIMD twin of ../adagrad.ts: four or eight parameters at a time. */
import { type AdagradSpec, adagradFamily } from '../adagrad.ts';
import { decayStep, emitOptimizer, learningRateLocal } from './optimizer-run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const adagradTwin: SimdTwin<AdagradSpec> = {
  kind: 'adagrad',
  emit(spec) {
    const b = twinFunction(adagradFamily, spec);
    const learningRate = learningRateLocal(b);
    const stored = ['accumulator', 'param'] as const;
    emitOptimizer(b, { loaded: ['param', 'gradient', 'accumulator'], stored }, [
      ...decayStep(b, Math.fround(spec.weightDecay), learningRate),
      ({ gradient, accumulator }) => {
        b.get(accumulator).get(gradient).get(gradient).op('f32x4.mul').op('f32x4.add').set(accumulator);
      },
      ({ param, gradient, accumulator }) => {
        b.get(param).get(learningRate).get(gradient).op('f32x4.mul');
        b.get(accumulator).f32x4(spec.epsilon).op('f32x4.add').op('f32x4.sqrt');
        b.op('f32x4.div').op('f32x4.sub').set(param);
      },
    ]);
    return b;
  },
};

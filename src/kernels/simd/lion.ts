/** The SIMD twin of ../lion.ts: four or eight parameters at a time; the sign is a choice by masks. */
import { type LionSpec, lionConstants, lionFamily } from '../lion.ts';
import { decayStep, emitOptimizer, learningRateLocal, pushBlend } from './optimizer-run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const lionTwin: SimdTwin<LionSpec> = {
  kind: 'lion',
  emit(spec) {
    const b = twinFunction(lionFamily, spec);
    const { beta1, kept1, beta2, kept2, weightDecay } = lionConstants(spec);
    const learningRate = learningRateLocal(b);
    const backwards = b.local('v128', 'backwards');
    b.get(learningRate).op('f32x4.neg').set(backwards);
    const names = {
      loaded: ['param', 'gradient', 'momentum'],
      stored: ['momentum', 'param'],
      others: ['blend'],
    } as const;
    emitOptimizer<'param' | 'gradient' | 'momentum' | 'blend'>(b, names, [
      ...decayStep(b, weightDecay, learningRate),
      ({ gradient, momentum, blend }) => pushBlend(b, [beta1, momentum], [kept1, gradient]).set(blend),
      ({ gradient, momentum }) => pushBlend(b, [beta2, momentum], [kept2, gradient]).set(momentum),
      ({ param, blend }) => {
        b.get(param);
        b.get(blend).f32x4(0).op('f32x4.gt').get(learningRate).op('v128.and');
        b.get(blend).f32x4(0).op('f32x4.lt').get(backwards).op('v128.and');
        b.op('v128.or').op('f32x4.sub').set(param);
      },
    ]);
    return b;
  },
};

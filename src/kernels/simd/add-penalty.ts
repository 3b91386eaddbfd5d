/** The SIMD twin of ../add-penalty.ts: four or eight weights at a time; the sign is a choice by masks. */
import { type AddPenaltySpec, addPenaltyFamily, penaltyConstants } from '../add-penalty.ts';
import { emitOptimizer, type Vectors } from './optimizer-run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const addPenaltyTwin: SimdTwin<AddPenaltySpec> = {
  kind: 'addPenalty',
  emit(spec) {
    const b = twinFunction(addPenaltyFamily, spec);
    const { l1, slope } = penaltyConstants(spec);
    const steps: ((vectors: Vectors<'param' | 'gradient'>) => void)[] = [];
    if (slope !== 0) {
      steps.push(({ param, gradient }) => {
        b.get(gradient).f32x4(slope).get(param).op('f32x4.mul').op('f32x4.add').set(gradient);
      });
    }
    if (l1 !== 0) {
      steps.push(({ param, gradient }) => {
        b.get(gradient);
        b.get(param).f32x4(0).op('f32x4.gt').f32x4(l1).op('v128.and');
        b.get(param).f32x4(0).op('f32x4.lt').f32x4(-l1).op('v128.and');
        b.op('v128.or').op('f32x4.add').set(gradient);
      });
    }
    emitOptimizer(b, { loaded: ['param', 'gradient'], stored: ['gradient'] }, steps);
    return b;
  },
};

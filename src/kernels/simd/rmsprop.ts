/** The SIMD twin of ../rmsprop.ts: four or eight parameters at a time. */
import { type RmspropSpec, rmspropConstants, rmspropFamily } from '../rmsprop.ts';
import { decayStep, emitOptimizer, learningRateLocal, pushBlend, type Vectors } from './optimizer-run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

type Name = 'param' | 'gradient' | 'square' | 'mean' | 'momentum' | 'spread';

export const rmspropTwin: SimdTwin<RmspropSpec> = {
  kind: 'rmsprop',
  emit(spec) {
    const b = twinFunction(rmspropFamily, spec);
    const { rho, kept, momentum: mu, epsilon, weightDecay } = rmspropConstants(spec);
    const { centered } = spec;
    const moves = spec.momentum !== 0;
    const learningRate = learningRateLocal(b);
    const state: Name[] = [
      'square',
      ...(centered ? ['mean' as const] : []),
      ...(moves ? ['momentum' as const] : []),
    ];
    const steps: ((vectors: Vectors<Name>) => void)[] = [
      ...decayStep(b, weightDecay, learningRate),
      ({ gradient, spread }) => b.get(gradient).get(gradient).op('f32x4.mul').set(spread),
      ({ square, spread }) => pushBlend(b, [rho, square], [kept, spread]).tee(square).set(spread),
    ];
    if (centered) {
      steps.push(
        ({ gradient, mean }) => pushBlend(b, [rho, mean], [kept, gradient]).set(mean),
        ({ mean, spread }) => {
          b.get(spread).get(mean).get(mean).op('f32x4.mul').op('f32x4.sub');
          b.f32x4(0).op('f32x4.pmax').set(spread);
        },
      );
    }
    steps.push(({ gradient, spread }) => {
      b.get(learningRate).get(gradient).op('f32x4.mul');
      b.get(spread).f32x4(epsilon).op('f32x4.add').op('f32x4.sqrt').op('f32x4.div').set(spread);
    });
    if (moves) {
      steps.push(({ momentum, spread }) => {
        b.f32x4(mu).get(momentum).op('f32x4.mul').get(spread).op('f32x4.add').tee(momentum).set(spread);
      });
    }
    steps.push(({ param, spread }) => b.get(param).get(spread).op('f32x4.sub').set(param));
    const stored: Name[] = [...state, 'param'];
    emitOptimizer(b, { loaded: ['param', 'gradient', ...state], stored, others: ['spread'] }, steps);
    return b;
  },
};

/** The SIMD twin of adam.ts: four or eight parameters at a time. */
import { type AdamSpec, adamConstants, adamFamily } from '../adam.ts';
import { emitRun, loadPart, type Part, storePart } from './run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const adamTwin: SimdTwin<AdamSpec> = {
  kind: 'adam',
  emit(spec) {
    const b = twinFunction(adamFamily, spec);
    const { keep1, keep2, epsilon, weightDecay } = adamConstants(spec);
    const alpha = b.local('v128', 'alpha');
    const learningRate = b.local('v128', 'learningRate');
    b.get(b.param('hyper')).memory('v128.load32_splat').set(alpha);
    b.get(b.param('hyper')).memory('v128.load32_splat', 4).set(learningRate);
    const values = [0, 1].map(() => ({
      param: b.local('v128', 'param'),
      gradient: b.local('v128', 'gradient'),
      first: b.local('v128', 'first'),
      second: b.local('v128', 'second'),
    }));
    const param = b.param('param');
    const gradient = b.param('gradient');
    const first = b.param('firstMoment');
    const second = b.param('secondMoment');
    emitRun(b, b.param('length'), [param, gradient, first, second], (parts) => {
      const each = (emit: (value: (typeof values)[number], part: Part) => void) => {
        parts.forEach((part, i) => {
          emit(values[i]!, part);
        });
      };
      each((value, part) => loadPart(b, gradient, part).set(value.gradient));
      each((value, part) => loadPart(b, first, part).set(value.first));
      each((value, part) => loadPart(b, second, part).set(value.second));
      each((value, part) => loadPart(b, param, part).set(value.param));
      each((value) => {
        b.get(value.first).get(value.gradient).get(value.first).op('f32x4.sub');
        b.f32x4(keep1).op('f32x4.mul').op('f32x4.add').set(value.first);
      });
      each((value) => {
        b.get(value.second).get(value.gradient).get(value.gradient).op('f32x4.mul');
        b.get(value.second).op('f32x4.sub').f32x4(keep2).op('f32x4.mul').op('f32x4.add').set(value.second);
      });
      if (weightDecay !== 0) {
        each((value) => {
          b.get(value.param).get(value.param).f32x4(weightDecay).op('f32x4.mul');
          b.get(learningRate).op('f32x4.mul').op('f32x4.sub').set(value.param);
        });
      }
      each((value) => {
        b.get(value.param).get(alpha).get(value.first).op('f32x4.mul');
        b.get(value.second).op('f32x4.sqrt').f32x4(epsilon).op('f32x4.add');
        b.op('f32x4.div').op('f32x4.sub').set(value.param);
      });
      each((value, part) => storePart(b, first, part, value.first));
      each((value, part) => storePart(b, second, part, value.second));
      each((value, part) => storePart(b, param, part, value.param));
    });
    return b;
  },
};

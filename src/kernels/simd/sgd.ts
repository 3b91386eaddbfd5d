/** The SIMD twin of sgd.ts: four or eight parameters at a time. */
import { type SgdSpec, sgdFamily } from '../sgd.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { emitRun, loadPart, type Part, storePart } from './run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const sgdTwin: SimdTwin<SgdSpec> = {
  kind: 'sgd',
  emit(spec) {
    const b = twinFunction(sgdFamily, spec);
    const learningRate = b.local('v128', 'learningRate');
    b.get(b.param('hyper')).memory('v128.load32_splat').set(learningRate);
    const values = [0, 1].map(() => ({
      param: b.local('v128', 'param'),
      step: b.local('v128', 'step'),
      velocity: b.local('v128', 'velocity'),
    }));
    const param = b.param('param');
    const gradient = b.param('gradient');
    const velocity = spec.momentum === 0 ? undefined : b.param('velocity');
    const pointers = velocity === undefined ? [param, gradient] : [param, gradient, velocity];
    emitRun(b, b.param('length'), pointers, (parts) => {
      const each = (emit: (value: (typeof values)[number], part: Part) => void) => {
        parts.forEach((part, i) => {
          emit(values[i]!, part);
        });
      };
      each((value, part) => loadPart(b, param, part).set(value.param));
      each((value, part) => {
        b.get(learningRate);
        loadPart(b, gradient, part);
        if (spec.weightDecay !== 0 && !spec.decoupled) {
          b.f32x4(spec.weightDecay).get(value.param).op('f32x4.mul').op('f32x4.add');
        }
        b.op('f32x4.mul').set(value.step);
      });
      if (spec.weightDecay !== 0 && spec.decoupled) {
        each((value) => {
          b.get(value.param).get(value.param).f32x4(spec.weightDecay).op('f32x4.mul');
          b.get(learningRate).op('f32x4.mul').op('f32x4.sub').set(value.param);
        });
      }
      if (velocity === undefined) {
        each((value) => b.get(value.param).get(value.step).op('f32x4.sub').set(value.param));
      } else {
        each((value, part) => {
          b.f32x4(spec.momentum);
          loadPart(b, velocity, part).op('f32x4.mul').get(value.step).op('f32x4.sub').set(value.velocity);
        });
        each((value) => emitMove(b, spec, value));
        each((value, part) => storePart(b, velocity, part, value.velocity));
      }
      each((value, part) => storePart(b, param, part, value.param));
    });
    return b;
  },
};

/** param = param + velocity, or the look-ahead. */
function emitMove(
  b: FunctionBuilder,
  { momentum, nesterov }: SgdSpec,
  { param, step, velocity }: { readonly param: Local; readonly step: Local; readonly velocity: Local },
): void {
  b.get(param);
  if (nesterov) b.f32x4(momentum).get(velocity).op('f32x4.mul').get(step).op('f32x4.sub');
  else b.get(velocity);
  b.op('f32x4.add').set(param);
}

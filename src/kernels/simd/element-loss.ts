/** The twin of ../element-loss.ts: f64 in plain WebAssembly, one element at a time. */

import {
  CLIP,
  type ElementLoss,
  type ElementLossSpec,
  elementLossFamily,
  smoothing,
} from '../element-loss.ts';
import { checkBinary, checkLossViews } from '../loss-arguments.ts';
import { elementsPerImage } from '../pixels.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { expFunction } from './exp.ts';
import { logFunction } from './log.ts';
import { forEachLossImage, pushDouble } from './loss-walk.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

/** An element and its target; a rule leaves its loss and its slope in the locals of these names. */
interface Element {
  readonly b: FunctionBuilder;
  readonly x: Local;
  readonly t: Local;
  readonly loss: Local;
  readonly slope: Local;
  readonly d: Local;
  readonly delta: number;
}

export const elementLossTwin: SimdTwin<ElementLossSpec> = {
  kind: 'elementLoss',
  emit(spec) {
    checkLossViews('elementLoss', spec);
    checkBinary('elementLoss', spec);
    const b = twinFunction(elementLossFamily, spec);
    const elements = elementsPerImage(spec.input);
    const binary = spec.loss.startsWith('binary');
    const threshold = spec.loss === 'binaryCrossentropyLogits' ? 0 : 0.5;
    const { kept, added } = smoothing(spec);
    const [x, t, truth, loss, slope, d, sum, errors, scale] = b.localArray('f64', 9, 'double') as Local[] as [
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
    ];
    const correct = b.local('i32', 'correct');
    const element: Element = { b, x, t, loss, slope, d, delta: spec.delta };
    const results = [
      ['losses', 8],
      ['correct', 4],
      ['errors', 8],
    ] as const;
    forEachLossImage(b, spec, results, (pointers, walk) => {
      b.f64(0).set(sum).f64(0).set(errors).i32(0).set(correct);
      pushDouble(b, b.param('sampleScale')).f64(elements).op('f64.div').set(scale);
      walk('elements', () => {
        pushDouble(b, pointers.x).set(x);
        if (spec.targets === 'dense') pushDouble(b, pointers.target).set(truth);
        else b.get(pointers.target).memory('i32.load').op('f64.convert_i32_s').set(truth);
        if (binary) b.f64(kept).get(truth).op('f64.mul').f64(added).op('f64.add').set(t);
        else b.get(truth).set(t);
        rules[spec.loss](element);
        b.get(sum).get(loss).op('f64.add').set(sum);
        b.get(errors).get(x).get(truth).op('f64.sub').op('f64.abs').op('f64.add').set(errors);
        if (binary) {
          b.get(x).f64(threshold).op('f64.gt').get(truth).f64(0.5).op('f64.gt').op('i32.eq');
          b.get(correct).op('i32.add').set(correct);
        }
        if (pointers.to === undefined) return;
        b.get(pointers.to).get(slope).get(scale).op('f64.mul').op('f32.demote_f64').memory('f32.store');
      });
      b.get(b.param('losses')).get(sum).f64(elements).op('f64.div').memory('f64.store');
      b.get(b.param('errors')).get(errors).f64(elements).op('f64.div').memory('f64.store');
      b.get(b.param('correct')).get(correct).memory('i32.store');
    });
    return b;
  },
};

/** Pushes `positive` where d > 0, `negative` where d < 0, else `otherwise`. */
function pushSign({ b, d }: Element, positive: number, negative: number, otherwise: number): FunctionBuilder {
  b.f64(positive).f64(negative).f64(otherwise).get(d).f64(0).op('f64.lt').select('f64');
  return b.get(d).f64(0).op('f64.gt').select('f64');
}

function pushDifference({ b, x, t, d }: Element): FunctionBuilder {
  return b.get(x).get(t).op('f64.sub').tee(d);
}

const rules: Record<ElementLoss, (element: Element) => void> = {
  meanSquaredError(element) {
    const { b, d, loss, slope } = element;
    pushDifference(element).get(d).op('f64.mul').set(loss);
    b.f64(2).get(d).op('f64.mul').set(slope);
  },
  meanAbsoluteError(element) {
    const { loss, slope } = element;
    pushDifference(element).op('f64.abs').set(loss);
    pushSign(element, 1, -1, 0).set(slope);
  },
  huber(element) {
    const { b, d, loss, slope, delta } = element;
    pushDifference(element).op('f64.abs').f64(delta).op('f64.le');
    b.if(
      () => {
        b.f64(0.5).get(d).op('f64.mul').get(d).op('f64.mul').set(loss);
        b.get(d).set(slope);
      },
      () => {
        b.f64(delta)
          .get(d)
          .op('f64.abs')
          .op('f64.mul')
          .f64(0.5 * delta * delta)
          .op('f64.sub')
          .set(loss);
        b.f64(delta).f64(-delta).get(d).f64(0).op('f64.gt').select('f64').set(slope);
      },
    );
  },
  binaryCrossentropy({ b, x, t, d: q, loss, slope }) {
    const log = logFunction();
    b.f64(CLIP)
      .f64(1 - CLIP)
      .get(x)
      .get(x)
      .f64(1 - CLIP)
      .op('f64.gt')
      .select('f64');
    b.get(x).f64(CLIP).op('f64.lt').select('f64').set(q);
    b.get(t).get(q).call(log).op('f64.mul');
    b.f64(1).get(t).op('f64.sub').f64(1).get(q).op('f64.sub').call(log).op('f64.mul').op('f64.add');
    b.op('f64.neg').set(loss);
    b.get(q).get(t).op('f64.sub').get(q).f64(1).get(q).op('f64.sub').op('f64.mul').op('f64.div');
    b.f64(0).get(q).get(x).op('f64.eq').select('f64').set(slope);
  },
  binaryCrossentropyLogits({ b, x, t, d: e, loss, slope }) {
    b.get(x).op('f64.abs').op('f64.neg').call(expFunction()).set(e);
    b.get(x).f64(0).get(x).f64(0).op('f64.gt').select('f64').get(x).get(t).op('f64.mul').op('f64.sub');
    b.f64(1).get(e).op('f64.add').call(logFunction()).op('f64.add').set(loss);
    b.f64(1).get(e).get(x).f64(0).op('f64.ge').select('f64');
    b.f64(1).get(e).op('f64.add').op('f64.div').get(t).op('f64.sub').set(slope);
  },
};

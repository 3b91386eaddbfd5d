/**
 * Dice loss (Milletari, Navab, Ahmadi 2016, with the plain sums of Keras) of each sample, with the gradient.
 *
 * Arguments as in loss-arguments.ts. With x an element of the input, a probability, and t its target (an index is 1 at
 * its class, else 0; with one channel it is its own value), all in f64, sums in the order y, x, c from +0:
 *
 *   N = 2 * (sum of x * t) + smooth
 *   D = ((sum of x) + (sum of t)) + smooth
 *   loss      = 1 - N / D
 *   gradInput = (N - 2 * t * D) / (D * D) * sampleScale, rounded once to f32
 *   correct   = pixels whose first largest entry is where the target's is (an index: the class); with one channel, whose
 *               x is above 0.5 where the target is, and not where it is not
 */
import type { KernelFamily } from './kernel.ts';
import {
  checkLossViews,
  type LossViews,
  lossArguments,
  namedArguments,
  targetView,
} from './loss-arguments.ts';
import { firstLargest } from './pixel-cross-entropy.ts';
import { forEachPixel } from './pixels.ts';

export interface DiceLossSpec extends LossViews {
  readonly kind: 'diceLoss';
  readonly smooth: number;
}

export const diceLossFamily: KernelFamily<DiceLossSpec> = {
  kind: 'diceLoss',
  args: (spec) => lossArguments(spec),
  bind(spec, { f32, f64, i32 }) {
    checkLossViews('diceLoss', spec);
    const { input, gradInput = input, targets, smooth } = spec;
    const { channels } = input;
    const views = [input, targetView(spec), gradInput];
    const args = diceLossFamily.args(spec);
    const single = channels === 1;
    const targetOf = (at: number, c: number): number => {
      if (targets === 'dense') return f32[at + c]!;
      return single ? i32[at]! : i32[at] === c ? 1 : 0;
    };
    const isRight = (x: number, target: number): boolean => {
      if (single) return f32[x]! > 0.5 === targetOf(target, 0) > 0.5;
      const wanted = targets === 'index' ? i32[target]! : firstLargest(f32, target, channels);
      return firstLargest(f32, x, channels) === wanted;
    };
    return (...values) => {
      const at = namedArguments(args, values);
      for (let n = 0; n < at.count!; n++) {
        const origins = [at.input!, at.targets!, at.gradInput ?? 0].map(
          (bytes, i) => bytes + 4 * n * views[i]!.imageStride,
        );
        let [common, inputs, wanted, correct] = [0, 0, 0, 0];
        forEachPixel(views, origins, 1, ([x, target]) => {
          for (let c = 0; c < channels; c++) {
            const t = targetOf(target!, c);
            common += f32[x! + c]! * t;
            inputs += f32[x! + c]!;
            wanted += t;
          }
          if (isRight(x!, target!)) correct += 1;
        });
        const top = 2 * common + smooth;
        const bottom = inputs + wanted + smooth;
        f64[(at.losses! >>> 3) + n] = 1 - top / bottom;
        i32[(at.correct! >>> 2) + n] = correct;
        if (spec.gradInput === undefined) continue;
        const scale = f32[(at.sampleScale! >>> 2) + n]!;
        forEachPixel(views, origins, 1, ([_x, target, to]) => {
          for (let c = 0; c < channels; c++) {
            const t = targetOf(target!, c);
            f32[to! + c] = ((top - 2 * t * bottom) / (bottom * bottom)) * scale;
          }
        });
      }
    };
  },
};

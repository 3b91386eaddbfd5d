/**
 * Cross-entropy of every pixel of a map of classes, and its mean over the pixels, with the gradient.
 *
 * Arguments as in loss-arguments.ts, and behind `targets`, only where `weighted`,
 *   classWeights  f32 [C], what a pixel's gradient is multiplied by, by its class
 *
 * For a pixel with class k (an index, or the first largest of its target's entries) and P = H W pixels, in f64:
 *
 *   t[c] = (1 - s) * target[c] + s / C                 s = labelSmoothing; an index's target is 1 at that class, else 0
 *   from logits: m = max x[c], L = log(sum of exp(x[c] - m));
 *                l = sum of t[c] * (L - (x[c] - m)),  g[c] = exp(x[c] - m) / (sum of exp) - t[c]
 *   from probabilities: S = sum of x[c], q[c] = x[c] / S, held between 1e-7 and 1 - 1e-7 (as in Keras);
 *                l = sum of t[c] * -log(q[c]),  g[c] = A / S - t[c] / x[c], A = sum of t[c], where a q that was held
 *                counts nothing in A and has no second term
 *
 *   loss         = (sum of l) / P                       in the order y, x, from +0; sums over c likewise
 *   gradInput[c] = g[c] * ((sampleScale / P) * classWeights[k]), rounded once to f32; without weights the second
 *                  factor is left out
 *   correct      = pixels whose first largest entry is k
 *
 * From logits g is the loss' derivative where the target's entries sum to 1.
 * An index outside [0, C) makes the loss NaN, and the weight of its pixel 0.
 */
import { exp } from '../math/exp.ts';
import { log } from '../math/log.ts';
import { CLIP } from './element-loss.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';
import {
  checkLossViews,
  type LossViews,
  lossArguments,
  namedArguments,
  targetView,
} from './loss-arguments.ts';
import { forEachPixel } from './pixels.ts';

export interface PixelCrossEntropySpec extends LossViews {
  readonly kind: 'pixelCrossEntropy';
  readonly from: 'logits' | 'probabilities';
  /** s, from 0 to 1. */
  readonly labelSmoothing: number;
  readonly weighted: boolean;
}

export const pixelCrossEntropyFamily: KernelFamily<PixelCrossEntropySpec> = {
  kind: 'pixelCrossEntropy',
  args: (spec) =>
    lossArguments(spec, {
      more: spec.weighted ? [f32Buffer('classWeights', 'in', () => spec.input.channels)] : [],
    }),
  bind(spec, { f32, f64, i32 }) {
    checkLossViews('pixelCrossEntropy', spec);
    const { input, gradInput = input, targets, labelSmoothing, from: kind } = spec;
    const { channels } = input;
    const views = [input, targetView(spec), gradInput];
    const pixels = input.height * input.width;
    const args = pixelCrossEntropyFamily.args(spec);
    const [kept, added] = [1 - labelSmoothing, labelSmoothing / channels];
    const t = new Float64Array(channels);
    const g = new Float64Array(channels);
    const evaluate = kind === 'logits' ? fromLogits : fromProbabilities;
    const readTarget = (at: number): number => {
      if (targets === 'dense') {
        for (let c = 0; c < channels; c++) t[c] = kept * f32[at + c]! + added;
        return firstLargest(f32, at, channels);
      }
      const k = i32[at]!;
      t.fill(added);
      if (k >= 0 && k < channels) t[k] = kept + added;
      return k;
    };
    return (...values) => {
      const at = namedArguments(args, values);
      for (let n = 0; n < at.count!; n++) {
        const scale = f32[(at.sampleScale! >>> 2) + n]! / pixels;
        let [sum, correct] = [0, 0];
        const origins = [at.input!, at.targets!, at.gradInput ?? 0].map(
          (bytes, i) => bytes + 4 * n * views[i]!.imageStride,
        );
        forEachPixel(views, origins, 1, ([x, target, to]) => {
          const k = readTarget(target!);
          const inside = k >= 0 && k < channels;
          const loss = evaluate(f32, x!, t, g);
          sum += inside ? loss : Number.NaN;
          if (firstLargest(f32, x!, channels) === k) correct += 1;
          if (spec.gradInput === undefined) return;
          const weight = inside ? f32[((at.classWeights ?? 0) >>> 2) + k]! : 0;
          const factor = spec.weighted ? scale * weight : scale;
          for (let c = 0; c < channels; c++) f32[to! + c] = g[c]! * factor;
        });
        f64[(at.losses! >>> 3) + n] = sum / pixels;
        i32[(at.correct! >>> 2) + n] = correct;
      }
    };
  },
};

/** The loss of a pixel; writes its gradient. */
function fromLogits(f32: Float32Array, x: number, t: Float64Array, g: Float64Array): number {
  const max = f32[x + firstLargest(f32, x, t.length)]!;
  let sum = 0;
  for (let c = 0; c < t.length; c++) {
    g[c] = exp(f32[x + c]! - max);
    sum += g[c]!;
  }
  const logSum = log(sum);
  let loss = 0;
  for (let c = 0; c < t.length; c++) {
    loss += t[c]! * (logSum - (f32[x + c]! - max));
    g[c] = g[c]! / sum - t[c]!;
  }
  return loss;
}

function fromProbabilities(f32: Float32Array, x: number, t: Float64Array, g: Float64Array): number {
  let [sum, loss, moving] = [0, 0, 0];
  for (let c = 0; c < t.length; c++) sum += f32[x + c]!;
  for (let c = 0; c < t.length; c++) {
    const share = f32[x + c]! / sum;
    const q = share < CLIP ? CLIP : share > 1 - CLIP ? 1 - CLIP : share;
    loss += t[c]! * -log(q);
    if (q === share) moving += t[c]!;
    g[c] = q === share ? t[c]! / f32[x + c]! : 0;
  }
  for (let c = 0; c < t.length; c++) g[c] = moving / sum - g[c]!;
  return loss;
}

/** The first of the largest entries: a later one replaces it only where it is greater. */
export function firstLargest(f32: Float32Array, from: number, length: number): number {
  let at = 0;
  for (let c = 1; c < length; c++) if (f32[from + c]! > f32[from + at]!) at = c;
  return at;
}

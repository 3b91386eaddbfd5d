/**
 * Losses that are means over elements, with the gradient: of errors, and of binary cross-entropies.
 *
 * Arguments as in loss-arguments.ts, and behind `correct`
 *   errors  f64 [n], the mean of |x - target|
 *
 * With E = H W C, x an element of the input and t its target (an index is its own value, 0 or 1), all in f64:
 *
 *   meanSquaredError         d = x - t:  l = d * d,  g = 2 * d
 *   meanAbsoluteError        l = |d|,  g = 1 where d > 0, -1 where d < 0, else 0
 *   huber                    l = 0.5 * d * d, g = d  where |d| <= delta;  else l = delta * |d| - 0.5 * delta * delta and
 *                            g = delta or -delta with the sign of d
 *   binaryCrossentropy       q = x between 1e-7 and 1 - 1e-7:  l = -(t log(q) + (1 - t) log(1 - q)),
 *                            g = (q - t) / (q * (1 - q)), and 0 where q is not x
 *   binaryCrossentropyLogits e = exp(-|x|):  l = (max(x, 0) - x * t) + log(1 + e),
 *                            g = (x >= 0 ? 1 / (1 + e) : e / (1 + e)) - t
 *
 * where the cross-entropies take t = (1 - s) * target + s / 2, s = labelSmoothing. Then
 *
 *   loss    = (sum of l) / E                in the order y, x, c, from +0
 *   gradInput = g * (sampleScale / E)       rounded once to f32
 *   correct = elements whose x is above 0.5 (logits: above 0) where the target is above 0.5, and not where it is not;
 *             0 for other losses than the cross-entropies
 */
import { exp } from '../math/exp.ts';
import { log } from '../math/log.ts';
import type { KernelFamily } from './kernel.ts';
import {
  checkBinary,
  checkLossViews,
  type LossViews,
  lossArguments,
  namedArguments,
  perSample,
  targetView,
} from './loss-arguments.ts';
import { elementsPerImage, forEachPixel } from './pixels.ts';

export type ElementLoss =
  | 'meanSquaredError'
  | 'meanAbsoluteError'
  | 'huber'
  | 'binaryCrossentropy'
  | 'binaryCrossentropyLogits';

export interface ElementLossSpec extends LossViews {
  readonly kind: 'elementLoss';
  readonly loss: ElementLoss;
  /** s of the cross-entropies, from 0 to 1. */
  readonly labelSmoothing: number;
  /** Of huber; positive. */
  readonly delta: number;
}

/** What probabilities are held away from 0 and 1 by, as in Keras. */
export const CLIP = 1e-7;

export const elementLossFamily: KernelFamily<ElementLossSpec> = {
  kind: 'elementLoss',
  args: (spec) => lossArguments(spec, { last: [perSample('errors', 'out', 'f64')] }),
  bind(spec, heap) {
    checkLossViews('elementLoss', spec);
    checkBinary('elementLoss', spec);
    const { input, gradInput = input, targets } = spec;
    const { f32, f64, i32 } = heap;
    const views = [{ ...input }, targetView(spec), gradInput];
    const elements = elementsPerImage(input);
    const { channels } = input;
    const args = elementLossFamily.args(spec);
    const binary = spec.loss.startsWith('binary');
    const threshold = spec.loss === 'binaryCrossentropyLogits' ? 0 : 0.5;
    const { kept, added } = smoothing(spec);
    const results = { loss: 0, slope: 0 };
    const evaluate = rules[spec.loss];
    const wanted = targets === 'index' ? i32 : f32;
    return (...values) => {
      const at = namedArguments(args, values);
      for (let n = 0; n < at.count!; n++) {
        const scale = f32[(at.sampleScale! >>> 2) + n]! / elements;
        let [sum, errors, correct] = [0, 0, 0];
        const origins = [at.input!, at.targets!, at.gradInput ?? 0].map(
          (bytes, i) => bytes + 4 * n * views[i]!.imageStride,
        );
        forEachPixel(views, origins, 1, ([from, target, to]) => {
          for (let c = 0; c < channels; c++) {
            const x = f32[from! + c]!;
            const truth = wanted[target! + c]!;
            evaluate(x, binary ? kept * truth + added : truth, spec.delta, results);
            sum += results.loss;
            errors += Math.abs(x - truth);
            if (binary && x > threshold === truth > 0.5) correct += 1;
            if (spec.gradInput !== undefined) f32[to! + c] = results.slope * scale;
          }
        });
        f64[(at.losses! >>> 3) + n] = sum / elements;
        f64[(at.errors! >>> 3) + n] = errors / elements;
        i32[(at.correct! >>> 2) + n] = correct;
      }
    };
  },
};

/** 1 - s and s / 2. */
export function smoothing({ labelSmoothing }: ElementLossSpec) {
  return { kept: 1 - labelSmoothing, added: labelSmoothing / 2 };
}

type Rule = (x: number, t: number, delta: number, results: { loss: number; slope: number }) => void;

const rules: Record<ElementLoss, Rule> = {
  meanSquaredError(x, t, _delta, results) {
    const d = x - t;
    results.loss = d * d;
    results.slope = 2 * d;
  },
  meanAbsoluteError(x, t, _delta, results) {
    const d = x - t;
    results.loss = Math.abs(d);
    results.slope = d > 0 ? 1 : d < 0 ? -1 : 0;
  },
  huber(x, t, delta, results) {
    const d = x - t;
    const size = Math.abs(d);
    results.loss = size <= delta ? 0.5 * d * d : delta * size - 0.5 * delta * delta;
    results.slope = size <= delta ? d : d > 0 ? delta : -delta;
  },
  binaryCrossentropy(x, t, _delta, results) {
    const q = x < CLIP ? CLIP : x > 1 - CLIP ? 1 - CLIP : x;
    results.loss = -(t * log(q) + (1 - t) * log(1 - q));
    results.slope = q === x ? (q - t) / (q * (1 - q)) : 0;
  },
  binaryCrossentropyLogits(x, t, _delta, results) {
    const e = exp(-Math.abs(x));
    results.loss = (x > 0 ? x : 0) - x * t + log(1 + e);
    results.slope = (x >= 0 ? 1 / (1 + e) : e / (1 + e)) - t;
  },
};

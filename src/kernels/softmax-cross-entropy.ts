/**
 * Softmax and cross-entropy of a batch of logits in one step, with the gradient.
 *
 *   logits       [n, classes], samples `logitsStride` elements apart
 *   targets      'index': i32 [n], the class of each sample; 'dense': f32 [n, classes], a distribution a sample
 *   sampleScale  [n], what a sample's gradient is multiplied by: its weight over the batch's size, usually
 *   gradLogits   [n, classes], laid out as logits; an argument only where `gradient`
 *   losses       f64 [n], not scaled
 *   correct      i32 [n], 1 where the largest logit is the target's class (dense: its largest entry's), else 0
 *
 * With m = max over c of x[c], d[c] = x[c] - m, s = labelSmoothing, all in f64:
 *
 *   L       = log(sum over c of exp(d[c]))
 *   t[c]    = (1 - s) * target[c] + s / classes            (an index's target is 1 at that class, else 0)
 *   loss    = sum over c of t[c] * (L - d[c]);             for an index without smoothing just L - d[index]
 *   gradLogits[c] = (exp(d[c]) / sum - t[c]) * sampleScale, rounded once to f32
 *
 * Sums start at +0, c ascending. The largest is the first: a later one replaces it where it is greater, so
 * that NaN never does. NaN among the logits makes the loss NaN, and so does an index outside [0, classes).
 * The gradient is the loss' where the target's entries sum to 1.
 */
import { ConfigError } from '../errors.ts';
import { exp } from '../math/exp.ts';
import { log } from '../math/log.ts';
import { type BufferArg, f32Buffer, type Heap, type KernelFamily } from './kernel.ts';

export interface SoftmaxCrossEntropySpec {
  readonly kind: 'softmaxCrossEntropy';
  readonly classes: number;
  /** Elements from one sample's logits to the next's; at least `classes`. */
  readonly logitsStride: number;
  readonly targets: 'index' | 'dense';
  /** s, from 0 to 1: the share of the target that is spread evenly over all classes. */
  readonly labelSmoothing: number;
  readonly gradient: boolean;
}

export const softmaxCrossEntropyFamily: KernelFamily<SoftmaxCrossEntropySpec> = {
  kind: 'softmaxCrossEntropy',
  args: ({ classes, logitsStride, targets, gradient }) => {
    const span = (count: number) => (count === 0 ? 0 : (count - 1) * logitsStride + classes);
    return [
      f32Buffer('logits', 'in', span),
      targets === 'index'
        ? buffer('targets', 'in', 'i32')
        : f32Buffer('targets', 'in', (count) => count * classes),
      buffer('sampleScale', 'in', 'f32'),
      ...(gradient ? [f32Buffer('gradLogits', 'out', span)] : []),
      buffer('losses', 'out', 'f64'),
      buffer('correct', 'out', 'i32'),
      { name: 'count', access: 'count' },
    ];
  },
  bind(spec, heap) {
    checkSoftmaxCrossEntropy(spec);
    const { classes, logitsStride, gradient } = spec;
    const { f32, f64, i32 } = heap;
    const t = new Float64Array(classes);
    const readTarget =
      spec.targets === 'index' ? bindIndexTarget(spec, heap, t) : bindDenseTarget(spec, heap, t);
    const lossOf = bindLoss(spec, heap, t);
    return (...args) => {
      const [logits, targets, scales, ...rest] = args as [number, number, number, ...number[]];
      const [gradLogits, losses, correct, count] = (gradient ? rest : [0, ...rest]) as [
        number,
        number,
        number,
        number,
      ];
      for (let n = 0; n < count; n++) {
        const x = (logits >>> 2) + n * logitsStride;
        const largest = firstLargest(f32, x, classes);
        const target = readTarget(targets >>> 2, n);
        const max = f32[x + largest]!;
        let sum = 0;
        for (let c = 0; c < classes; c++) sum += exp(f32[x + c]! - max);
        f64[(losses >>> 3) + n] = lossOf(x, max, log(sum), target);
        i32[(correct >>> 2) + n] = target === largest ? 1 : 0;
        if (!gradient) continue;
        const scale = f32[(scales >>> 2) + n]!;
        const to = (gradLogits >>> 2) + n * logitsStride;
        for (let c = 0; c < classes; c++) f32[to + c] = (exp(f32[x + c]! - max) / sum - t[c]!) * scale;
      }
    };
  },
};

/** The function that writes a sample's t and returns its class. */
function bindIndexTarget(spec: SoftmaxCrossEntropySpec, { i32 }: Heap, t: Float64Array) {
  const { on, off } = smoothedTarget(spec);
  return (targets: number, n: number): number => {
    const target = i32[targets + n]!;
    t.fill(off);
    if (target >= 0 && target < t.length) t[target] = on;
    return target;
  };
}

function bindDenseTarget(spec: SoftmaxCrossEntropySpec, { f32 }: Heap, t: Float64Array) {
  const { kept, off } = smoothedTarget(spec);
  return (targets: number, n: number): number => {
    const from = targets + n * t.length;
    for (let c = 0; c < t.length; c++) t[c] = kept * f32[from + c]! + off;
    return firstLargest(f32, from, t.length);
  };
}

/** The function that computes a sample's loss from t and the logits at x. */
function bindLoss(
  { targets, labelSmoothing, classes }: SoftmaxCrossEntropySpec,
  { f32 }: Heap,
  t: Float64Array,
) {
  const single = targets === 'index' && labelSmoothing === 0;
  return (x: number, max: number, logSum: number, target: number): number => {
    if (target < 0 || target >= classes) return Number.NaN;
    if (single) return logSum - (f32[x + target]! - max);
    let loss = 0;
    for (let c = 0; c < classes; c++) loss += t[c]! * (logSum - (f32[x + c]! - max));
    return loss;
  };
}

/** The first of the largest entries: a later one replaces it only where it is greater. */
function firstLargest(f32: Float32Array, from: number, length: number): number {
  let at = 0;
  for (let c = 1; c < length; c++) if (f32[from + c]! > f32[from + at]!) at = c;
  return at;
}

/** 1 - s, and t of an index's class and of the others, in f64. */
export function smoothedTarget({ labelSmoothing, classes }: SoftmaxCrossEntropySpec) {
  const kept = 1 - labelSmoothing;
  const off = labelSmoothing / classes;
  return { kept, on: kept + off, off };
}

/** Throws ConfigError unless the numbers of a spec make sense. */
export function checkSoftmaxCrossEntropy({
  classes,
  logitsStride,
  labelSmoothing,
}: SoftmaxCrossEntropySpec): void {
  const refuse = (argument: string, expected: string, received: number) => {
    throw new ConfigError({
      operation: 'softmaxCrossEntropy',
      argument,
      expected,
      received: String(received),
    });
  };
  if (!Number.isInteger(classes) || classes < 1) refuse('classes', 'a positive integer', classes);
  if (!Number.isInteger(logitsStride) || logitsStride < classes) {
    refuse('logitsStride', `an integer of at least ${classes}`, logitsStride);
  }
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    refuse('labelSmoothing', 'a number from 0 to 1', labelSmoothing);
}

function buffer(name: string, access: 'in' | 'out', type: BufferArg['type']): BufferArg {
  return { name, access, type, length: (count) => count };
}

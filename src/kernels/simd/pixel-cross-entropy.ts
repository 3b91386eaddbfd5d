/** The twin of ../pixel-cross-entropy.ts: f64 in plain WebAssembly, one entry at a time. */
import { CLIP } from '../element-loss.ts';
import { checkLossViews } from '../loss-arguments.ts';
import { type PixelCrossEntropySpec, pixelCrossEntropyFamily } from '../pixel-cross-entropy.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { expFunction } from './exp.ts';
import { logFunction } from './log.ts';
import {
  accumulate,
  emitFirstLargest,
  forEachChannel,
  forEachLossImage,
  type LossPointers,
  pushDouble,
} from './loss-walk.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

/** A pixel: its class k, the largest entry, and sums over its channels. */
interface Pixel extends LossPointers {
  readonly b: FunctionBuilder;
  readonly spec: PixelCrossEntropySpec;
  readonly exp: FunctionBuilder;
  readonly log: FunctionBuilder;
  readonly k: Local;
  readonly c: Local;
  readonly max: Local;
  readonly sum: Local;
  readonly logSum: Local;
  readonly loss: Local;
  readonly q: Local;
  readonly share: Local;
  readonly factor: Local;
}

export const pixelCrossEntropyTwin: SimdTwin<PixelCrossEntropySpec> = {
  kind: 'pixelCrossEntropy',
  emit(spec) {
    checkLossViews('pixelCrossEntropy', spec);
    const b = twinFunction(pixelCrossEntropyFamily, spec);
    const { height, width, channels } = spec.input;
    const double = (name: string) => b.local('f64', name);
    const integer = (name: string) => b.local('i32', name);
    const [total, scale, unused] = [double('total'), double('scale'), double('unused')];
    const [correct, largest] = [integer('correct'), integer('largest')];
    const shared = {
      b,
      spec,
      exp: expFunction(),
      log: logFunction(),
      k: integer('k'),
      c: integer('c'),
      max: double('max'),
      sum: double('sum'),
      logSum: double('logSum'),
      loss: double('loss'),
      q: double('q'),
      share: double('share'),
      factor: double('factor'),
    };
    const { k, c, max, loss } = shared;
    const results = [
      ['losses', 8],
      ['correct', 4],
    ] as const;
    forEachLossImage(b, spec, results, (pointers, walk) => {
      const pixel: Pixel = { ...shared, ...pointers };
      b.f64(0).set(total).i32(0).set(correct);
      pushDouble(b, b.param('sampleScale'))
        .f64(height * width)
        .op('f64.div')
        .set(scale);
      walk('pixels', () => {
        emitFirstLargest(b, pointers.x, channels, c, largest, max);
        if (spec.targets === 'index') b.get(pointers.target).memory('i32.load').set(k);
        else emitFirstLargest(b, pointers.target, channels, c, k, unused);
        b.get(correct).get(k).get(largest).op('i32.eq').op('i32.add').set(correct);
        if (spec.from === 'logits') emitLogits(pixel);
        else emitProbabilities(pixel);
        b.get(loss).f64(Number.NaN).get(k).i32(channels).op('i32.lt_u').select('f64');
        accumulateBefore(b, total);
        if (pointers.to !== undefined) emitGradient(pixel, scale);
      });
      b.get(b.param('losses'))
        .get(total)
        .f64(height * width)
        .op('f64.div')
        .memory('f64.store');
      b.get(b.param('correct')).get(correct).memory('i32.store');
    });
    return b;
  },
};

/** total = total + the f64 on the stack; a sum of two values does not depend on their order. */
function accumulateBefore(b: FunctionBuilder, total: Local): void {
  accumulate(b, total);
}

function channels(pixel: Pixel, body: () => void): void {
  const { b, spec, c, x, target, to } = pixel;
  forEachChannel(b, spec.input.channels, c, [x, spec.targets === 'dense' ? target : undefined, to], body);
}

/** Pushes t[c]. */
function pushTarget({ b, spec, k, c, target }: Pixel): FunctionBuilder {
  const [kept, added] = [1 - spec.labelSmoothing, spec.labelSmoothing / spec.input.channels];
  if (spec.targets === 'index') {
    return b
      .f64(kept + added)
      .f64(added)
      .get(c)
      .get(k)
      .op('i32.eq')
      .select('f64');
  }
  b.f64(kept);
  return pushDouble(b, target).op('f64.mul').f64(added).op('f64.add');
}

/** Pushes x[c] - max. */
function pushDifference({ b, x, max }: Pixel): FunctionBuilder {
  return pushDouble(b, x).get(max).op('f64.sub');
}

function emitLogits(pixel: Pixel): void {
  const { b, exp, log, sum, logSum, loss } = pixel;
  b.f64(0).set(sum).f64(0).set(loss);
  channels(pixel, () => {
    pushDifference(pixel).call(exp);
    accumulate(b, sum);
  });
  b.get(sum).call(log).set(logSum);
  channels(pixel, () => {
    pushTarget(pixel).get(logSum);
    pushDifference(pixel).op('f64.sub').op('f64.mul');
    accumulate(b, loss);
  });
}

/** Sets share = x[c] / sum and q, which is held between the limits. */
function emitShare({ b, x, sum, share, q }: Pixel): void {
  pushDouble(b, x).get(sum).op('f64.div').set(share);
  b.f64(CLIP)
    .f64(1 - CLIP)
    .get(share)
    .get(share)
    .f64(1 - CLIP)
    .op('f64.gt')
    .select('f64');
  b.get(share).f64(CLIP).op('f64.lt').select('f64').set(q);
}

/** `logSum` holds the sum of the targets that move. */
function emitProbabilities(pixel: Pixel): void {
  const { b, log, x, sum, loss, share, q, logSum: moving } = pixel;
  b.f64(0).set(sum).f64(0).set(loss).f64(0).set(moving);
  channels(pixel, () => {
    pushDouble(b, x);
    accumulate(b, sum);
  });
  channels(pixel, () => {
    emitShare(pixel);
    pushTarget(pixel).get(q).call(log).op('f64.neg').op('f64.mul');
    accumulate(b, loss);
    pushTarget(pixel).f64(0).get(q).get(share).op('f64.eq').select('f64');
    accumulate(b, moving);
  });
}

function emitGradient(pixel: Pixel, scale: Local): void {
  const { b, spec, exp, k, x, to, sum, logSum: moving, q, share, factor } = pixel;
  b.get(scale).set(factor);
  if (spec.weighted) {
    b.f64(0).set(factor);
    b.get(k)
      .i32(spec.input.channels)
      .op('i32.lt_u')
      .if(() => {
        b.get(scale).get(b.param('classWeights')).get(k).i32(2).op('i32.shl').op('i32.add');
        b.memory('f32.load').op('f64.promote_f32').op('f64.mul').set(factor);
      });
    // 0 times the scale, in which an infinity is NaN.
    b.get(k).i32(spec.input.channels).op('i32.ge_u');
    b.if(() => b.get(scale).f64(0).op('f64.mul').set(factor));
  }
  channels(pixel, () => {
    b.get(to!);
    if (spec.from === 'logits') {
      pushDifference(pixel).call(exp).get(sum).op('f64.div');
      pushTarget(pixel).op('f64.sub');
    } else {
      emitShare(pixel);
      b.get(moving).get(sum).op('f64.div');
      pushTarget(pixel);
      pushDouble(b, x).op('f64.div').f64(0).get(q).get(share).op('f64.eq').select('f64').op('f64.sub');
    }
    b.get(factor).op('f64.mul').op('f32.demote_f64').memory('f32.store');
  });
}

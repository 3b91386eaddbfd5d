/**
 * The twin of softmax-cross-entropy.ts: f64 arithmetic in plain WebAssembly, one entry at a time, since its
 * sums are sequential; exp and log are those of math/, emitted.
 */
import {
  checkSoftmaxCrossEntropy,
  type SoftmaxCrossEntropySpec,
  smoothedTarget,
  softmaxCrossEntropyFamily,
} from '../softmax-cross-entropy.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { expFunction } from './exp.ts';
import { logFunction } from './log.ts';
import { repeat } from './micro-loops.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

/** What a sample's parts share. `targets` moves along with the samples, as all the buffers' parameters do. */
interface Row {
  readonly b: FunctionBuilder;
  readonly spec: SoftmaxCrossEntropySpec;
  readonly exp: FunctionBuilder;
  readonly max: Local;
  readonly sum: Local;
  readonly logSum: Local;
  readonly largest: Local;
  /** The target's class. */
  readonly target: Local;
  readonly c: Local;
  readonly x: Local;
  /** Where the current entry's dense target is. */
  readonly entry: Local;
}

export const softmaxCrossEntropyTwin: SimdTwin<SoftmaxCrossEntropySpec> = {
  kind: 'softmaxCrossEntropy',
  emit(spec) {
    checkSoftmaxCrossEntropy(spec);
    const b = twinFunction(softmaxCrossEntropyFamily, spec);
    const [max, sum, logSum] = b.localArray('f64', 3, 'sum') as [Local, Local, Local];
    const [largest, target, c, x, entry] = b.localArray('i32', 5, 'index') as [
      Local,
      Local,
      Local,
      Local,
      Local,
    ];
    const row: Row = { b, spec, exp: expFunction(), max, sum, logSum, largest, target, c, x, entry };
    const log = logFunction();
    const rowBytes = 4 * spec.logitsStride;
    repeat(b, b.param('count'), () => {
      emitFirstLargest(row, b.param('logits'), largest, max);
      if (spec.targets === 'index') b.get(b.param('targets')).memory('i32.load').set(target);
      else emitFirstLargest(row, b.param('targets'), target, b.local('f64', 'unused'));
      b.f64(0).set(sum);
      eachEntry(row, () => pushExponential(row).get(sum).op('f64.add').set(sum));
      b.get(sum).call(log).set(logSum);
      b.get(b.param('losses'));
      pushLoss(row).memory('f64.store');
      b.get(b.param('correct')).get(target).get(largest).op('i32.eq').memory('i32.store');
      if (spec.gradient) {
        emitGradient(row);
        b.advance(b.param('gradLogits'), rowBytes);
      }
      b.advance(b.param('logits'), rowBytes);
      b.advance(b.param('targets'), spec.targets === 'index' ? 4 : 4 * spec.classes);
      b.advance(b.param('sampleScale'), 4);
      b.advance(b.param('losses'), 8);
      b.advance(b.param('correct'), 4);
    });
    return b;
  },
};

/** Passes over the classes: `c` counts, `x` points to the logit, `entry` to the dense target. */
function eachEntry({ b, spec, c, x, entry }: Row, body: () => void): void {
  b.get(b.param('logits')).set(x).get(b.param('targets')).set(entry);
  b.forRange(
    c,
    spec.classes,
    () => {
      body();
      b.advance(x, 4);
      if (spec.targets === 'dense') b.advance(entry, 4);
    },
    { test: 'last' },
  );
}

/** The first of the largest entries at `from`: its index, and its value as f64. */
function emitFirstLargest({ b, spec, c, x }: Row, from: Local, index: Local, value: Local): void {
  const candidate = b.local('f64', 'candidate');
  b.get(from).tee(x).memory('f32.load').op('f64.promote_f32').set(value).i32(0).set(index);
  b.forRange(c, spec.classes, () => {
    b.get(x).memory('f32.load').op('f64.promote_f32').tee(candidate).get(value).op('f64.gt');
    b.if(() => b.get(candidate).set(value).get(c).set(index));
    b.advance(x, 4);
  });
}

/** Pushes d[c] = x[c] - max. */
function pushDifference({ b, max, x }: Row): FunctionBuilder {
  return b.get(x).memory('f32.load').op('f64.promote_f32').get(max).op('f64.sub');
}

function pushExponential(row: Row): FunctionBuilder {
  return pushDifference(row).call(row.exp);
}

/** Pushes t[c]. */
function pushTarget({ b, spec, target, c, entry }: Row): FunctionBuilder {
  const { kept, on, off } = smoothedTarget(spec);
  if (spec.targets === 'index') return b.f64(on).f64(off).get(c).get(target).op('i32.eq').select('f64');
  b.f64(kept).get(entry).memory('f32.load').op('f64.promote_f32').op('f64.mul');
  return b.f64(off).op('f64.add');
}

function pushLoss(row: Row): FunctionBuilder {
  const { b, spec, logSum, target, x } = row;
  const loss = b.local('f64', 'loss');
  const { classes } = spec;
  b.f64(Number.NaN).set(loss);
  b.get(target)
    .i32(classes)
    .op('i32.lt_u')
    .if(() => {
      if (spec.targets === 'index' && spec.labelSmoothing === 0) {
        b.get(b.param('logits')).get(target).i32(2).op('i32.shl').op('i32.add').set(x);
        b.get(logSum);
        pushDifference(row).op('f64.sub').set(loss);
        return;
      }
      b.f64(0).set(loss);
      eachEntry(row, () => {
        pushTarget(row).get(logSum);
        pushDifference(row).op('f64.sub').op('f64.mul').get(loss).op('f64.add').set(loss);
      });
    });
  return b.get(loss);
}

function emitGradient(row: Row): void {
  const { b, sum } = row;
  const scale = b.local('f64', 'scale');
  const to = b.local('i32', 'to');
  b.get(b.param('sampleScale')).memory('f32.load').op('f64.promote_f32').set(scale);
  b.get(b.param('gradLogits')).set(to);
  eachEntry(row, () => {
    b.get(to);
    pushExponential(row).get(sum).op('f64.div');
    pushTarget(row).op('f64.sub').get(scale).op('f64.mul').op('f32.demote_f64').memory('f32.store');
    b.advance(to, 4);
  });
}

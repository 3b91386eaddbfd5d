/** The twin of ../dice-loss.ts: f64 in plain WebAssembly, one element at a time. */
import { type DiceLossSpec, diceLossFamily } from '../dice-loss.ts';
import { checkLossViews } from '../loss-arguments.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import {
  accumulate,
  emitFirstLargest,
  forEachChannel,
  forEachLossImage,
  type LossPointers,
  pushDouble,
} from './loss-walk.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

export const diceLossTwin: SimdTwin<DiceLossSpec> = {
  kind: 'diceLoss',
  emit(spec) {
    checkLossViews('diceLoss', spec);
    const b = twinFunction(diceLossFamily, spec);
    const { channels } = spec.input;
    const double = (name: string) => b.local('f64', name);
    const [common, inputs, wanted] = [double('common'), double('inputs'), double('wanted')];
    const [top, bottom, scale, t, value] = [
      double('top'),
      double('bottom'),
      double('scale'),
      double('t'),
      double('value'),
    ];
    const [c, correct, largest, k] = ['c', 'correct', 'largest', 'k'].map((name) => b.local('i32', name)) as [
      Local,
      Local,
      Local,
      Local,
    ];
    const results = [
      ['losses', 8],
      ['correct', 4],
    ] as const;
    const entries = ({ x, target, to }: LossPointers, body: () => void) =>
      forEachChannel(b, channels, c, [x, spec.targets === 'dense' ? target : undefined, to], () => {
        pushTarget(b, spec, target, c).set(t);
        body();
      });
    forEachLossImage(b, spec, results, (pointers, walk) => {
      for (const sum of [common, inputs, wanted]) b.f64(0).set(sum);
      b.i32(0).set(correct);
      walk('pixels', () => {
        entries(pointers, () => {
          pushDouble(b, pointers.x).tee(value).get(t).op('f64.mul');
          accumulate(b, common);
          b.get(value);
          accumulate(b, inputs);
          b.get(t);
          accumulate(b, wanted);
        });
        if (channels === 1) {
          b.get(value).f64(0.5).op('f64.gt').get(t).f64(0.5).op('f64.gt');
        } else {
          emitFirstLargest(b, pointers.x, channels, c, largest, value);
          if (spec.targets === 'index') b.get(pointers.target).memory('i32.load').set(k);
          else emitFirstLargest(b, pointers.target, channels, c, k, value);
          b.get(largest).get(k);
        }
        b.op('i32.eq').get(correct).op('i32.add').set(correct);
      });
      b.f64(2).get(common).op('f64.mul').f64(spec.smooth).op('f64.add').set(top);
      b.get(inputs).get(wanted).op('f64.add').f64(spec.smooth).op('f64.add').set(bottom);
      b.get(b.param('losses')).f64(1).get(top).get(bottom).op('f64.div').op('f64.sub').memory('f64.store');
      b.get(b.param('correct')).get(correct).memory('i32.store');
      const { to } = pointers;
      if (to === undefined) return;
      pushDouble(b, b.param('sampleScale')).set(scale);
      walk('pixels', () => {
        entries(pointers, () => {
          b.get(to).get(top).f64(2).get(t).op('f64.mul').get(bottom).op('f64.mul').op('f64.sub');
          b.get(bottom).get(bottom).op('f64.mul').op('f64.div');
          b.get(scale).op('f64.mul').op('f32.demote_f64').memory('f32.store');
        });
      });
    });
    return b;
  },
};

/** Pushes t of channel c. */
function pushTarget(
  b: FunctionBuilder,
  { targets, input }: DiceLossSpec,
  target: Local,
  c: Local,
): FunctionBuilder {
  if (targets === 'dense') return pushDouble(b, target);
  b.get(target).memory('i32.load');
  if (input.channels === 1) return b.op('f64.convert_i32_s');
  return b.get(c).op('i32.eq').op('f64.convert_i32_s');
}

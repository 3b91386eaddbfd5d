/** What the twins of merging kernels share (../several-views.ts). */
import type { View } from '../../tensor/view.ts';
import { inputName } from '../several-views.ts';
import type { FunctionBuilder } from './assembler/index.ts';
import { mapElements, type Walked } from './rows.ts';

/** The parameters `input0`, `input1`, ... with their layouts. */
export function walkedInputs(b: FunctionBuilder, inputs: readonly View[]): Walked[] {
  return inputs.map((view, i) => ({ origin: b.param(inputName(i)), view }));
}

/** Emits output = ((input0 op input1) op input2) ..., and what `finish` makes of that on the stack. */
export function emitFold(
  b: FunctionBuilder,
  spec: { readonly inputs: readonly View[]; readonly output: View; readonly accumulate: boolean },
  op: 'f32x4.add' | 'f32x4.mul',
  finish: () => void = () => {},
): void {
  const output = { origin: b.param('output'), view: spec.output };
  const inputs = walkedInputs(b, spec.inputs);
  mapElements(b, inputs, output, b.param('count'), spec.accumulate, ([pushFirst, ...others]) => {
    pushFirst!();
    for (const pushInput of others) {
      pushInput();
      b.op(op);
    }
    finish();
  });
}

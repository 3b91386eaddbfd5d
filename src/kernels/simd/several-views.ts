/** The inputs of the twins of merging kernels (../several-views.ts). */
import type { View } from '../../tensor/view.ts';
import { inputName } from '../several-views.ts';
import type { FunctionBuilder } from './assembler/index.ts';
import type { Walked } from './rows.ts';

/** The parameters `input0`, `input1`, ... with their layouts. */
export function walkedInputs(b: FunctionBuilder, inputs: readonly View[]): Walked[] {
  return inputs.map((view, i) => ({ origin: b.param(inputName(i)), view }));
}

/**
 * The gradient of an elementwise maximum (maximum-views.ts) for one of its inputs.
 *
 *   input0, input1, ...  [n, H, W, C]
 *   gradOutput           [n, H, W, C]
 *   gradInput            [n, H, W, C]; overlaps nothing else
 *
 *   gradInput = gradOutput where input `index` is the one that counts, else +0      (+ gradInput where `accumulate`)
 */
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { firstLargest } from './maximum-views.ts';
import { elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';
import { checkSeveralImages, inputBuffers } from './several-views.ts';

export interface MaximumViewsBackwardSpec {
  readonly kind: 'maximumViewsBackward';
  readonly inputs: readonly View[];
  /** Of which input the gradient is. */
  readonly index: number;
  readonly gradOutput: View;
  readonly gradInput: View;
  /** Whether the gradient is added to what gradInput holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const maximumViewsBackwardFamily: KernelFamily<MaximumViewsBackwardSpec> = {
  kind: 'maximumViewsBackward',
  args: ({ inputs, gradOutput, gradInput, accumulate }) => [
    ...inputBuffers(inputs),
    viewBuffer('gradOutput', 'in', gradOutput),
    viewBuffer('gradInput', accumulate ? 'inout' : 'out', gradInput),
    { name: 'count', access: 'count' },
  ],
  bind({ inputs, index, gradOutput, gradInput, accumulate }, { f32 }) {
    checkSeveralImages('maximumViewsBackward', inputs, { gradOutput, gradInput });
    const views = [...inputs, gradOutput, gradInput];
    return (...args) => {
      forEachPixel(views, args.slice(0, views.length), args[views.length]!, (at) => {
        const [from, to] = [at[inputs.length]!, at[inputs.length + 1]!];
        for (let c = 0; c < gradInput.channels; c++) {
          const value = firstLargest(f32, at, inputs.length, c) === index ? f32[from + c]! : 0;
          f32[to + c] = accumulate ? f(f32[to + c]! + value) : value;
        }
      });
    };
  },
  flops: ({ inputs, gradInput }, count) => inputs.length * count * elementsPerImage(gradInput),
};

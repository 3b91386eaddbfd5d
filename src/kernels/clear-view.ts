/**
 * Writes +0 into a batch of activations: gradients of channels that nobody wrote, before others add to them.
 *
 *   output  [n, H, W, C]; its halo, and channels beside a slice, stay as they are
 */
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { forEachPixel, viewBuffer } from './pixels.ts';

export interface ClearViewSpec {
  readonly kind: 'clearView';
  readonly output: View;
}

export const clearViewFamily: KernelFamily<ClearViewSpec> = {
  kind: 'clearView',
  args: ({ output }) => [viewBuffer('output', 'out', output), { name: 'count', access: 'count' }],
  bind({ output }, { f32 }) {
    return (outputBytes, count) => {
      forEachPixel([output], [outputBytes!], count!, ([at]) => {
        f32.fill(0, at!, at! + output.channels);
      });
    };
  },
};

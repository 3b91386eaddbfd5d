/**
 * The masks of dropout whose numbers stand for more than one element (scale-by-mask.ts applies them): a number a
 * channel, or one for the whole sample.
 *
 *   mask  [n, length]: 0 or 1 / (1 - rate) rounded to f32
 *   step  two u32 words, low and high, of the training step
 *
 * Number e of sample firstSample + n is addressed as element e of a sample is in dropout-forward.ts.
 */
import { checkDropoutRate, drawMask, type MaskSize } from './dropout-forward.ts';
import { f32Buffer, type KernelFamily } from './kernel.ts';

export interface DropoutMaskSpec extends MaskSize {
  readonly kind: 'dropoutMask';
}

export const dropoutMaskFamily: KernelFamily<DropoutMaskSpec> = {
  kind: 'dropoutMask',
  args: ({ length }) => [
    f32Buffer('mask', 'out', (count) => count * length),
    { name: 'key0', access: 'literal' },
    { name: 'key1', access: 'literal' },
    { name: 'step', access: 'in', type: 'i32', length: () => 2 },
    { name: 'firstSample', access: 'literal' },
    { name: 'count', access: 'count' },
  ],
  bind(spec, heap) {
    checkDropoutRate('dropoutMask', spec.rate);
    return (maskBytes, key0, key1, stepBytes, firstSample, count) => {
      const step = stepBytes! >>> 2;
      for (let n = 0; n < count!; n++) {
        const address = [firstSample! + n, heap.i32[step]!, heap.i32[step + 1]!] as const;
        drawMask(spec, heap, (maskBytes! >>> 2) + n * spec.length, [key0!, key1!], address);
      }
    };
  },
};

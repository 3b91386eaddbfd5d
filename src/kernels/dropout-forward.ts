/**
 * Dropout (Srivastava et al., JMLR 15, 2014), inverted: what is kept is scaled, so evaluation is the identity.
 *
 *   input   [n, H, W, C]
 *   output  [n, H, W, C]; may be the input, in the same layout
 *   mask    [n, H*W*C], dense: 0 or 1 / (1 - rate) rounded to f32; the backward pass reads it
 *   step    two u32 words, low and high, of the training step
 *
 *   output = input * mask, rounded to f32
 *
 * Element e = (y*W + x)*C + c of sample firstSample + n is kept where its random word, by the element
 * addressing of math/random.ts under the key (key0, key1), is at least floor(rate * 2^32): so the mask
 * depends on neither the layout nor who computes it.
 */
import { ConfigError } from '../errors.ts';
import { elementWords } from '../math/random.ts';
import type { View } from '../tensor/view.ts';
import { f32Buffer, type Heap, type KernelFamily } from './kernel.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';

export interface DropoutForwardSpec {
  readonly kind: 'dropoutForward';
  /** The share of elements that become 0, from 0 up to but not including 1. */
  readonly rate: number;
  readonly input: View;
  readonly output: View;
}

const f = Math.fround;

export const dropoutForwardFamily: KernelFamily<DropoutForwardSpec> = {
  kind: 'dropoutForward',
  args: ({ input, output }) => [
    viewBuffer('input', 'in', input),
    viewBuffer('output', 'out', output),
    f32Buffer('mask', 'out', (count) => count * elementsPerImage(input)),
    { name: 'key0', access: 'literal' },
    { name: 'key1', access: 'literal' },
    { name: 'step', access: 'in', type: 'i32', length: () => 2 },
    { name: 'firstSample', access: 'literal' },
    { name: 'count', access: 'count' },
  ],
  bind(spec, heap) {
    checkDropoutForward(spec);
    const { rate, input, output } = spec;
    const { f32, i32 } = heap;
    const length = elementsPerImage(input);
    return (inputBytes, outputBytes, maskBytes, key0, key1, stepBytes, firstSample, count) => {
      const step = stepBytes! >>> 2;
      for (let n = 0; n < count!; n++) {
        const address = [firstSample! + n, i32[step]!, i32[step + 1]!] as const;
        drawMask({ rate, length }, heap, (maskBytes! >>> 2) + n * length, [key0!, key1!], address);
      }
      let mask = maskBytes! >>> 2;
      forEachPixel([input, output], [inputBytes!, outputBytes!], count!, ([from, to]) => {
        for (let c = 0; c < input.channels; c++) f32[to! + c] = f(f32[from! + c]! * f32[mask + c]!);
        mask += input.channels;
      });
    };
  },
  flops: ({ input }, count) => count * elementsPerImage(input),
};

/** Throws ShapeError where the views differ in size, ConfigError for a rate outside [0, 1). */
export function checkDropoutForward({ rate, input, output }: DropoutForwardSpec): void {
  checkSameImages('dropoutForward', { input, output });
  checkDropoutRate('dropoutForward', rate);
}

/** Throws ConfigError for a rate outside [0, 1). */
export function checkDropoutRate(operation: string, rate: number): void {
  if (rate >= 0 && rate < 1) return;
  throw new ConfigError({
    operation,
    argument: 'rate',
    expected: 'a number from 0 up to but not including 1',
    received: String(rate),
  });
}

/** Elements whose u32 word is below this are dropped. */
export function dropoutThreshold(rate: number): number {
  return Math.floor(rate * 4294967296);
}

/** The mask's value for a kept element. */
export function keptScale(rate: number): number {
  return f(1 / (1 - rate));
}

const words = new Uint32Array(16);

/** How many numbers a sample's mask has, and the share of them that are 0. */
export interface MaskSize {
  readonly rate: number;
  readonly length: number;
}

/** Writes one sample's mask to f32[at...]; `address` is (sample, stepLow, stepHigh). */
export function drawMask(
  { rate, length }: MaskSize,
  { f32 }: Heap,
  at: number,
  key: readonly [number, number],
  address: readonly [number, number, number],
): void {
  const threshold = dropoutThreshold(rate);
  const scale = keptScale(rate);
  for (let e = 0; e < length; e++) {
    if (e % 16 === 0) elementWords(key, e / 16, words, ...address);
    f32[at + e] = words[e % 16]! >= threshold ? scale : 0;
  }
}

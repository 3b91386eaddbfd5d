/** Several inputs of one size as arguments `input0`, `input1`, ...: what the kernels of merging layers share. */
import type { View } from '../tensor/view.ts';
import type { BufferArg } from './kernel.ts';
import { checkSameImages, viewBuffer } from './pixels.ts';

/** One argument an input. */
export function inputBuffers(inputs: readonly View[]): BufferArg[] {
  return inputs.map((view, i) => viewBuffer(inputName(i), 'in', view));
}

export function inputName(index: number): string {
  return `input${index}`;
}

/** Throws ShapeError unless all inputs and the other views hold images of one size. */
export function checkSeveralImages(
  operation: string,
  inputs: readonly View[],
  others: Readonly<Record<string, View>>,
): void {
  const named = inputs.map((view, i) => [inputName(i), view] as const);
  checkSameImages(operation, { ...Object.fromEntries(named), ...others });
}

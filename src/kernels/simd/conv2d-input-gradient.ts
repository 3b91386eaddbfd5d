/**
 * SIMD twin of ../conv2d-input-gradient.ts: a contraction over packed weights (micro-panels.ts), one grid of
 * pixels for each residue modulo the strides.
 */
import {
  type Conv2dInputGradientSpec,
  checkInputGradient,
  conv2dInputGradient,
} from '../conv2d-input-gradient.ts';
import { panelLayout } from '../conv2d-pack.ts';
import type { FunctionBuilder } from './assembler/index.ts';
import { inputGradientGrids } from './conv2d-taps.ts';
import { emitPanels } from './micro-panels.ts';
import { type SimdTwin, type Target, twinFunction } from './twin.ts';

export const conv2dInputGradientTwin: SimdTwin<Conv2dInputGradientSpec> = {
  kind: 'conv2dInputGradient',
  emit(spec, target) {
    const b = twinFunction(conv2dInputGradient, spec);
    emitInputGradient(b, spec, target);
    return b;
  },
};

/** Emits the input gradient into a function with the family's parameters. */
export function emitInputGradient(b: FunctionBuilder, spec: Conv2dInputGradientSpec, target: Target): void {
  const { geometry, gradOutput, gradInput, accumulate, bias, activation } = spec;
  checkInputGradient(spec);
  const contraction = {
    layout: panelLayout(geometry, 'inputGradient'),
    grids: inputGradientGrids(geometry, gradOutput, gradInput),
    source: b.param('gradOutput'),
    weight: b.param('weight'),
    bias: bias ? b.param('bias') : undefined,
    output: b.param('gradInput'),
    count: b.param('count'),
    sourceImage: 4 * gradOutput.imageStride,
    outputImage: 4 * gradInput.imageStride,
    accumulate,
    relu: activation === 'relu',
    sumBlock: spec.sumBlock,
  };
  emitPanels(b, contraction, target);
}

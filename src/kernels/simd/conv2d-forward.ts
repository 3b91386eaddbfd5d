/** SIMD twin of ../conv2d-forward.ts: a contraction over packed weights (micro-panels.ts), one grid of pixels. */
import { type Conv2dForwardSpec, conv2dForward } from '../conv2d-forward.ts';
import { panelLayout } from '../conv2d-pack.ts';
import { checkForwardViews } from '../conv2d-views.ts';
import type { FunctionBuilder } from './assembler/index.ts';
import { forwardGrids } from './conv2d-taps.ts';
import { emitPanels } from './micro-panels.ts';
import { type SimdTwin, type Target, twinFunction } from './twin.ts';

export const conv2dForwardTwin: SimdTwin<Conv2dForwardSpec> = {
  kind: 'conv2dForward',
  emit(spec, target) {
    const b = twinFunction(conv2dForward, spec);
    emitForward(b, spec, target);
    return b;
  },
};

/** Emits the forward pass into a function with the family's parameters. */
export function emitForward(b: FunctionBuilder, spec: Conv2dForwardSpec, target: Target): void {
  const { geometry, input, output, bias, activation } = spec;
  checkForwardViews('conv2dForward', geometry, input, 'output', output);
  const contraction = {
    layout: panelLayout(geometry, 'forward'),
    grids: forwardGrids(geometry, input, output),
    source: b.param('input'),
    weight: b.param('weight'),
    bias: bias ? b.param('bias') : undefined,
    output: b.param('output'),
    count: b.param('count'),
    sourceImage: 4 * input.imageStride,
    outputImage: 4 * output.imageStride,
    accumulate: spec.accumulate ?? false,
    relu: activation === 'relu',
    sumBlock: spec.sumBlock,
  };
  emitPanels(b, contraction, target);
}

/** Forward and backward of pooling as kernel calls, for layers that differ in their windows. */
import type { AveragePoolBackwardSpec } from '../kernels/average-pool-backward.ts';
import type { AveragePoolForwardSpec } from '../kernels/average-pool-forward.ts';
import type { MaxPoolBackwardSpec } from '../kernels/max-pool-backward.ts';
import type { MaxPoolForwardSpec } from '../kernels/max-pool-forward.ts';
import type { PoolWindow } from '../tensor/pooling.ts';
import type { BackwardContext, ForwardContext } from './layer.ts';

/** output = maxima of the windows. */
export function forwardMaxPool({ inputs, output, call }: ForwardContext<unknown>, window: PoolWindow): void {
  const [input] = inputs;
  const spec: MaxPoolForwardSpec = {
    kind: 'maxPoolForward',
    input: input!.view,
    output: output.view,
    window,
  };
  call(spec, [input!.origin, output.origin, 'count']);
}

/** The gradient of `forwardMaxPool`. */
export function backwardMaxPool(context: BackwardContext<unknown>, window: PoolWindow): void {
  const { inputs, gradOutput, call } = context;
  const [input] = inputs;
  const gradInput = context.gradInput();
  if (gradInput === undefined) return;
  const spec: MaxPoolBackwardSpec = {
    kind: 'maxPoolBackward',
    input: input!.view,
    gradOutput: gradOutput.view,
    gradInput: gradInput.view,
    window,
    accumulate: gradInput.accumulate,
  };
  call(spec, [input!.origin, gradOutput.origin, gradInput.origin, 'count']);
}

/** output = means of the windows. */
export function forwardAveragePool(
  { inputs, output, call }: ForwardContext<unknown>,
  window: PoolWindow,
  countPadding = false,
): void {
  const [input] = inputs;
  const spec: AveragePoolForwardSpec = {
    kind: 'averagePoolForward',
    input: input!.view,
    output: output.view,
    window,
    countPadding,
  };
  call(spec, [input!.origin, output.origin, 'count']);
}

/** The gradient of `forwardAveragePool`. */
export function backwardAveragePool(
  context: BackwardContext<unknown>,
  window: PoolWindow,
  countPadding = false,
): void {
  const { gradOutput, call } = context;
  const gradInput = context.gradInput();
  if (gradInput === undefined) return;
  const spec: AveragePoolBackwardSpec = {
    kind: 'averagePoolBackward',
    gradOutput: gradOutput.view,
    gradInput: gradInput.view,
    window,
    countPadding,
    accumulate: gradInput.accumulate,
  };
  call(spec, [gradOutput.origin, gradInput.origin, 'count']);
}

/** What layers share that drop channels or samples as a whole: y = x * mask, dX = dY * mask, the same mask. */
import type { DropoutMaskSpec } from '../kernels/dropout-mask.ts';
import { maskLength, type ScaleByMaskSpec } from '../kernels/scale-by-mask.ts';
import type { BackwardContext, BufferRef, ForwardContext, TensorRef } from './layer.ts';

/** Something that has a share of it dropped. */
interface RateConfig {
  readonly rate: number;
}

/** What one number of the mask stands for. */
type Per = ScaleByMaskSpec['per'];

function maskOf(context: ForwardContext<RateConfig>, per: Per): BufferRef {
  return context.saved('mask', maskLength({ per, input: context.inputs[0]!.view }));
}

function applyMask(
  context: ForwardContext<RateConfig>,
  per: Per,
  from: TensorRef,
  to: TensorRef,
  accumulate: boolean,
): void {
  const spec: ScaleByMaskSpec = { kind: 'scaleByMask', per, input: from.view, output: to.view, accumulate };
  context.call(spec, [from.origin, maskOf(context, per), to.origin, 'count']);
}

/** Draws the mask from the layer's stream for `purpose`, and applies it. */
export function maskedForward(context: ForwardContext<RateConfig>, per: Per, purpose: string): void {
  const { config, inputs, output, step, call } = context;
  const length = maskLength({ per, input: inputs[0]!.view });
  const spec: DropoutMaskSpec = { kind: 'dropoutMask', rate: config.rate, length };
  call(spec, [maskOf(context, per), ...context.streamKey(purpose), step, 'firstSample', 'count']);
  applyMask(context, per, inputs[0]!, output, false);
}

/** The gradient of `maskedForward`. */
export function maskedBackward(context: BackwardContext<RateConfig>, per: Per): void {
  const gradInput = context.gradInput();
  if (gradInput === undefined) return;
  applyMask(context, per, context.gradOutput, gradInput, gradInput.accumulate);
}

/**
 * Calls that another one can do on its way: the gradient of a ReLU goes through the kernel that makes the gradient of
 * its output (kernels/relu-gate.ts) where that is the call right before.
 */
import type { ActivationBackwardSpec } from '../kernels/activation-backward.ts';
import type { MaxPoolBackwardSpec } from '../kernels/max-pool-backward.ts';
import type { WinogradForwardSpec } from '../kernels/winograd-forward.ts';
import type { BufferRef, Operand, PlannedCall } from '../layers/layer.ts';
import type { View } from '../tensor/view.ts';

/** One call that leaves what two leave one after the other, or undefined where there is none. */
export function fuseCalls(first: PlannedCall, second: PlannedCall): PlannedCall | undefined {
  const spec = second.spec as ActivationBackwardSpec;
  if (spec.kind !== 'activationBackward' || spec.function !== 'relu' || spec.accumulate) return undefined;
  const [saved, gradOutput, gradInput] = second.operands;
  if (!isSame(gradOutput, spec.gradOutput, gradInput, spec.gradInput)) return undefined;
  const { operands } = first;
  const made = first.spec as WinogradForwardSpec | MaxPoolBackwardSpec;
  if (made.kind === 'winogradForward') {
    if (made.gate !== undefined || made.activation !== 'linear') return undefined;
    if (!isSame(operands.at(-2), made.output, gradInput, spec.gradInput)) return undefined;
    const gated: WinogradForwardSpec = { ...made, gate: spec.saved };
    return { ...first, spec: gated, operands: operands.toSpliced(-3, 0, saved!) };
  }
  if (made.kind !== 'maxPoolBackward' || made.accumulate || made.gated) return undefined;
  if (!isSame(operands[2], made.gradInput, gradInput, spec.gradInput)) return undefined;
  if (!isSame(operands[0], made.input, saved, spec.saved)) return undefined;
  const gated: MaxPoolBackwardSpec = { ...made, gated: true };
  return { ...first, spec: gated };
}

/** Whether two operands are the same elements in the same order. */
function isSame(a: Operand | undefined, aView: View, b: Operand | undefined, bView: View): boolean {
  const [one, other] = [a as BufferRef, b as BufferRef];
  if (one.buffer !== other.buffer || one.offsetBytes !== other.offsetBytes) return false;
  return (['height', 'width', 'channels', 'pixelStride', 'rowStride', 'imageStride'] as const).every(
    (key) => aView[key] === bView[key],
  );
}

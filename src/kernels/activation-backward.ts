/**
 * The gradient of an activation function (activation-functions.ts), element by element.
 *
 *   saved       [n, H, W, C]: the forward pass's input or output, as the function's `saves` says
 *   gradOutput  [n, H, W, C]
 *   gradInput   [n, H, W, C]; may be gradOutput or saved, in the same layout
 *
 *   gradInput = gradOutput * derivative(saved)       (+ gradInput where `accumulate`)
 *
 * The derivative, the product and the sum are each rounded to f32. ReLU and ReLU6 choose instead of multiplying:
 * gradOutput where saved > 0 (and < 6), else +0.
 */
import type { View } from '../tensor/view.ts';
import { ACTIVATIONS, type ActivationName, checkAlpha } from './activation-functions.ts';
import type { KernelFamily } from './kernel.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';
import { passGate } from './relu-gate.ts';

export interface ActivationBackwardSpec {
  readonly kind: 'activationBackward';
  readonly function: ActivationName;
  /** The parameter of leakyRelu and elu; the others ignore it. */
  readonly alpha: number;
  readonly saved: View;
  readonly gradOutput: View;
  readonly gradInput: View;
  /** Whether the gradient is added to what gradInput holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const activationBackwardFamily: KernelFamily<ActivationBackwardSpec> = {
  kind: 'activationBackward',
  args: ({ saved, gradOutput, gradInput, accumulate }) => [
    viewBuffer('saved', 'in', saved),
    viewBuffer('gradOutput', 'in', gradOutput),
    viewBuffer('gradInput', accumulate ? 'inout' : 'out', gradInput),
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32 }) {
    checkActivationBackward(spec);
    const { saved, gradOutput, gradInput, accumulate } = spec;
    const gradient = gradientOf(spec);
    return (savedBytes, gradOutputBytes, gradInputBytes, count) => {
      const views = [saved, gradOutput, gradInput];
      forEachPixel(views, [savedBytes!, gradOutputBytes!, gradInputBytes!], count!, ([at, from, to]) => {
        for (let c = 0; c < saved.channels; c++) {
          const value = gradient(f32[at! + c]!, f32[from! + c]!);
          f32[to! + c] = accumulate ? f(f32[to! + c]! + value) : value;
        }
      });
    };
  },
  flops: ({ saved, accumulate }, count) => count * elementsPerImage(saved) * (accumulate ? 3 : 2),
};

/** Throws ShapeError where the views differ in size, ConfigError for an alpha that makes no sense. */
export function checkActivationBackward(spec: ActivationBackwardSpec): void {
  const { saved, gradOutput, gradInput } = spec;
  checkSameImages('activationBackward', { saved, gradOutput, gradInput });
  checkAlpha('activationBackward', spec.function, spec.alpha);
}

function gradientOf({ function: name, alpha }: ActivationBackwardSpec): (y: number, g: number) => number {
  if (name === 'relu') return passGate;
  if (name === 'relu6') return (y, g) => (y > 0 && y < 6 ? g : 0);
  const { derivative } = ACTIVATIONS[name];
  return (saved, g) => f(g * derivative(saved, alpha));
}

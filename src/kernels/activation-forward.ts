/**
 * An activation function (activation-functions.ts), element by element.
 *
 *   input   [n, H, W, C]
 *   output  [n, H, W, C]; may be the input, in the same layout
 *
 *   output = function(input), rounded to f32; halos are neither read nor written
 */
import type { View } from '../tensor/view.ts';
import { ACTIVATIONS, type ActivationName, checkAlpha } from './activation-functions.ts';
import type { KernelFamily } from './kernel.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';

export interface ActivationForwardSpec {
  readonly kind: 'activationForward';
  readonly function: ActivationName;
  /** The parameter of leakyRelu and elu; the others ignore it. */
  readonly alpha: number;
  readonly input: View;
  readonly output: View;
}

export const activationForwardFamily: KernelFamily<ActivationForwardSpec> = {
  kind: 'activationForward',
  args: ({ input, output }) => [
    viewBuffer('input', 'in', input),
    viewBuffer('output', 'out', output),
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32 }) {
    checkActivationForward(spec);
    const { alpha, input, output } = spec;
    const { forward } = ACTIVATIONS[spec.function];
    return (inputBytes, outputBytes, count) => {
      forEachPixel([input, output], [inputBytes!, outputBytes!], count!, ([from, to]) => {
        for (let c = 0; c < input.channels; c++) f32[to! + c] = forward(f32[from! + c]!, alpha);
      });
    };
  },
  flops: ({ input }, count) => count * elementsPerImage(input),
};

/** Throws ShapeError where the views differ in size, ConfigError for an alpha that makes no sense. */
export function checkActivationForward({
  function: name,
  alpha,
  input,
  output,
}: ActivationForwardSpec): void {
  checkSameImages('activationForward', { input, output });
  checkAlpha('activationForward', name, alpha);
}

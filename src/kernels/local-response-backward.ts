/**
 * The gradient of local response normalisation.
 *
 *   input, gradOutput  [n, H, W, C]
 *   scratch            f64 [3, C + 2 depthRadius]: squares; powers base^-beta; ratios
 *   gradInput          [n, H, W, C]; may be gradOutput, in the same layout
 *
 * In f64, with ratio_c = (gradOutput_c * input_c) * power_c / base_c (local-response.ts),
 *
 *   gradInput_c = gradOutput_c * power_c - (2 alpha beta * (sum of ratio over the channels around c)) * input_c
 *
 * the sum from +0 in the order of the channels, what lies outside as +0; rounded once to f32 (then + gradInput where
 * `accumulate`, rounded again).
 */
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { checkLocalResponse, inversePower, type LocalResponse } from './local-response.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';

export interface LocalResponseBackwardSpec extends LocalResponse {
  readonly kind: 'localResponseBackward';
  readonly input: View;
  readonly gradOutput: View;
  readonly gradInput: View;
  /** Whether the gradient is added to what gradInput holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const localResponseBackwardFamily: KernelFamily<LocalResponseBackwardSpec> = {
  kind: 'localResponseBackward',
  args: ({ input, gradOutput, gradInput, depthRadius, accumulate }) => [
    viewBuffer('input', 'in', input),
    viewBuffer('gradOutput', 'in', gradOutput),
    {
      name: 'scratch',
      access: 'scratch',
      type: 'f64',
      length: () => 3 * (input.channels + 2 * depthRadius),
    },
    viewBuffer('gradInput', accumulate ? 'inout' : 'out', gradInput),
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32, f64 }) {
    const { input, gradOutput, gradInput, depthRadius, bias, alpha, beta, accumulate } = spec;
    checkLocalResponse('localResponseBackward', spec);
    checkSameImages('localResponseBackward', { input, gradOutput, gradInput });
    const { channels } = input;
    const padded = channels + 2 * depthRadius;
    const views = [input, gradOutput, gradInput];
    return (inputBytes, gradOutputBytes, scratchBytes, gradInputBytes, count) => {
      const squares = scratchBytes! >>> 3;
      const [powers, ratios] = [squares + padded, squares + 2 * padded];
      f64.fill(0, squares, squares + 3 * padded);
      const sumAround = (at: number) => {
        let sum = 0;
        for (let d = 0; d <= 2 * depthRadius; d++) sum += f64[at + d]!;
        return sum;
      };
      forEachPixel(views, [inputBytes!, gradOutputBytes!, gradInputBytes!], count!, ([x, g, to]) => {
        for (let c = 0; c < channels; c++) f64[squares + depthRadius + c] = f32[x! + c]! * f32[x! + c]!;
        for (let c = 0; c < channels; c++) {
          const base = bias + alpha * sumAround(squares + c);
          const power = inversePower(base, beta);
          f64[powers + depthRadius + c] = power;
          f64[ratios + depthRadius + c] = (f32[g! + c]! * f32[x! + c]! * power) / base;
        }
        for (let c = 0; c < channels; c++) {
          const own = f32[g! + c]! * f64[powers + depthRadius + c]!;
          const value = f(own - 2 * alpha * beta * sumAround(ratios + c) * f32[x! + c]!);
          f32[to! + c] = accumulate ? f(f32[to! + c]! + value) : value;
        }
      });
    };
  },
  flops: ({ input, depthRadius }, count) => (4 * depthRadius + 20) * count * elementsPerImage(input),
};

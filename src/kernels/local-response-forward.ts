/**
 * Local response normalisation (Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural
 * Networks", 2012, section 3.3).
 *
 *   input, output  [n, H, W, C]; the output may be the input, in the same layout
 *   squares        scratch, f64 [C + 2 depthRadius]
 *
 *   output = input * base^-beta (local-response.ts), in f64, rounded once to f32
 */
import type { View } from '../tensor/view.ts';
import type { KernelFamily } from './kernel.ts';
import { checkLocalResponse, inversePower, type LocalResponse } from './local-response.ts';
import { checkSameImages, elementsPerImage, forEachPixel, viewBuffer } from './pixels.ts';

export interface LocalResponseForwardSpec extends LocalResponse {
  readonly kind: 'localResponseForward';
  readonly input: View;
  readonly output: View;
}

export const localResponseForwardFamily: KernelFamily<LocalResponseForwardSpec> = {
  kind: 'localResponseForward',
  args: ({ input, output, depthRadius }) => [
    viewBuffer('input', 'in', input),
    { name: 'squares', access: 'scratch', type: 'f64', length: () => input.channels + 2 * depthRadius },
    viewBuffer('output', 'out', output),
    { name: 'count', access: 'count' },
  ],
  bind(spec, { f32, f64 }) {
    const { input, output, depthRadius, bias, alpha, beta } = spec;
    checkLocalResponse('localResponseForward', spec);
    checkSameImages('localResponseForward', { input, output });
    const { channels } = input;
    return (inputBytes, squaresBytes, outputBytes, count) => {
      const squares = squaresBytes! >>> 3;
      f64.fill(0, squares, squares + channels + 2 * depthRadius);
      forEachPixel([input, output], [inputBytes!, outputBytes!], count!, ([from, to]) => {
        for (let c = 0; c < channels; c++) {
          f64[squares + depthRadius + c] = f32[from! + c]! * f32[from! + c]!;
        }
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let d = 0; d <= 2 * depthRadius; d++) sum += f64[squares + c + d]!;
          f32[to! + c] = f32[from! + c]! * inversePower(bias + alpha * sum, beta);
        }
      });
    };
  },
  flops: ({ input, depthRadius }, count) => (2 * depthRadius + 10) * count * elementsPerImage(input),
};

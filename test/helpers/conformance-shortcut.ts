/** The f64 oracle of the shortcut without parameters: which element goes where, written out; nothing is rounded. */
import { exactValues } from './conformance-bounds.ts';
import type { LayerOracle, LayerProblem } from './conformance-oracle.ts';

/** For each element of the output the element of the input that it shows, or -1: the batch one after the other. */
function sources({ config, inputShape, outputShape, count }: LayerProblem): number[] {
  const { strides } = config as { strides: readonly [number, number] };
  const [height, width, channels] = inputShape as [number, number, number];
  const [outHeight, outWidth, filters] = outputShape as [number, number, number];
  return Array.from({ length: count * outHeight * outWidth * filters }, (_, at) => {
    const channel = at % filters;
    const x = Math.floor(at / filters) % outWidth;
    const y = Math.floor(at / (filters * outWidth)) % outHeight;
    const n = Math.floor(at / (filters * outWidth * outHeight));
    if (channel >= channels) return -1;
    return ((n * height + y * strides[0]) * width + x * strides[1]) * channels + channel;
  });
}

export const identityShortcutOracle: LayerOracle = {
  exactUnit: () => 1,
  forward: (problem) =>
    exactValues(sources(problem).map((source) => (source < 0 ? 0 : problem.input[source]!))),
  backward(problem, gradOutput) {
    const values = new Float64Array(problem.input.length);
    const bounds = new Float64Array(problem.input.length);
    sources(problem).forEach((source, i) => {
      if (source < 0) return;
      values[source] = gradOutput.values[i]!;
      bounds[source] = gradOutput.bounds[i]!;
    });
    return { gradInput: { values, bounds }, parameters: {} };
  },
};

/**
 * A layer of one's own, made of kernels that the library has: global max pooling, [H, W, C] to [C].
 *
 *     npx node examples/own-layer.ts
 *
 * One window as large as the image turns max pooling into it; the gradient goes to the first maximum of each
 * channel. The layer is trained to tell where a bright square lies; outside of this file nobody knows of it.
 */
import { arrayDataset, conv2d, defineLayer, dense, type Layer, type Shape, sequential } from 'faltung';

function wholeImage([height, width]: Shape) {
  const padding = { top: 0, right: 0, bottom: 0, left: 0 };
  return { height: height!, width: width!, strideY: 1, strideX: 1, padding };
}

const globalMaxPooling2d = defineLayer<object, object>({
  type: 'globalMaxPooling2d',
  resolve: () => ({}),
  outputShape: (_config, [input]) => [input![2]!],
  forward({ inputs: [input], output, call }) {
    const window = wholeImage(input!.shape);
    const spec = { kind: 'maxPoolForward', input: input!.view, output: output.view, window };
    call(spec, [input!.origin, output.origin, 'count']);
  },
  backward({ inputs: [input], gradOutput, gradInput: ask, call }) {
    const gradInput = ask();
    if (gradInput === undefined) return;
    const spec = {
      kind: 'maxPoolBackward',
      input: input!.view,
      gradOutput: gradOutput.view,
      gradInput: gradInput.view,
      window: wholeImage(input!.shape),
      accumulate: gradInput.accumulate,
    };
    call(spec, [input!.origin, gradOutput.origin, gradInput.origin, 'count']);
  },
  examples: [{ options: {}, inputShape: [4, 5, 3] }],
});

/** Images [size, 12, 12, 1] of a square that is bright (class 1) or dark (class 0), anywhere. */
function squares(size: number) {
  const inputs = new Float32Array(size * 144);
  const targets = Int32Array.from({ length: size }, (_, i) => i % 2);
  for (let i = 0; i < size; i++) {
    const [top, left] = [(i * 7) % 9, (i * 5) % 9];
    for (let y = top; y < top + 4; y++) {
      for (let x = left; x < left + 4; x++) inputs[i * 144 + y * 12 + x] = i % 2 === 1 ? 1 : -1;
    }
  }
  return arrayDataset({ inputs, inputShape: [12, 12, 1], targets });
}

const layers: Layer[] = [
  conv2d({ filters: 8, kernelSize: 3, activation: 'relu' }),
  globalMaxPooling2d({ name: 'brightest' }),
  dense({ units: 2, activation: 'softmax' }),
];
const model = sequential({ inputShape: [12, 12, 1], seed: 3 }, layers);
console.log(model.summary());
await model.fit(squares(512), { epochs: 4, threads: 2 });
console.log(await model.evaluate(squares(128)));
await model.close();

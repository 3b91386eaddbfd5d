/**
 * Cross-correlation (the paper's equation 2.4) against convolution (2.2), which turns the kernel by 180 degrees.
 *
 *     npx node examples/correlation-and-convolution.ts
 *
 * Every framework means the first when it says convolution; `flip: true` makes a layer the second. For learning it
 * does not matter: the same training finds the same kernels, turned.
 */
import { adam, arrayDataset, conv2d, dense, flatten, type Model, sequential } from 'faltung';

const image = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0];
const kernel = [1, 2, 3, 4, 5, 6, 7, 8, 9];

function print(title: string, values: ArrayLike<number>, width: number, digits = 0): void {
  console.log(`\n${title}`);
  for (let i = 0; i < values.length; i += width) {
    const row = Array.from({ length: width }, (_, j) =>
      values[i + j]!.toFixed(digits).padStart(4 + 2 * digits),
    );
    console.log(row.join(''));
  }
}

/** One filter over one channel; image [size, size, 1], padded with enough zeros that every overlap counts. */
async function filtered(input: number[], weights: number[], flip: boolean): Promise<number[]> {
  const [size, side] = [Math.sqrt(input.length), Math.sqrt(weights.length)];
  const padding = { top: side - 1, right: side - 1, bottom: side - 1, left: side - 1 };
  await using model = sequential({ inputShape: [size, size, 1] }, [
    conv2d({ name: 'c', filters: 1, kernelSize: side, padding, useBias: false, flip }),
  ]);
  model.setWeights({ 'c/weight': weights });
  return [...(await model.predict(Float32Array.from(input))).data];
}

const turned = (values: number[]) => values.toReversed();
const same = (a: number[], b: number[]) => (a.join() === b.join() ? 'equal' : 'different');

print('An image of two points, 1 and 2', image, 5);
print('A kernel', kernel, 3);
const correlation = await filtered(image, kernel, false);
const convolution = await filtered(image, kernel, true);
print('Cross-correlation leaves the kernel turned at each point', correlation, 7);
print('Convolution leaves it as it is', convolution, 7);

console.log(
  '\nConvolution with k, correlation with k turned:',
  same(convolution, await filtered(image, turned(kernel), false)),
);
console.log(
  'Convolution commutes, image * kernel and kernel * image:',
  same(convolution, await filtered(kernel, image, true)),
);
const swapped = await filtered(kernel, image, false);
console.log(
  'Correlation does not:',
  same(correlation, swapped),
  '- swapped, it comes out turned:',
  same(correlation, turned(swapped)),
);

/** Images [64, 6, 6, 1] in which a bright pixel lies left or right of a dark one. */
const pairs = arrayDataset({
  inputs: Float32Array.from({ length: 64 * 36 }, (_, i) => {
    const [sample, place] = [Math.floor(i / 36), i % 36];
    const left = 6 * (sample % 5) + (Math.floor(sample / 5) % 4);
    const sign = sample % 2 === 0 ? 1 : -1;
    return place === left ? sign : place === left + 1 ? -sign : 0;
  }),
  inputShape: [6, 6, 1],
  targets: Int32Array.from({ length: 64 }, (_, sample) => sample % 2),
});

function learner(flip: boolean): Model {
  return sequential({ inputShape: [6, 6, 1], seed: 1 }, [
    conv2d({ name: 'c', filters: 1, kernelSize: 3, flip }),
    flatten(),
    dense({ units: 2, activation: 'softmax' }),
  ]);
}

await using straight = learner(false);
await using flipping = learner(true);
const kernelOf = (model: Model) => [...model.getWeights()['c/weight']!.data];
flipping.setWeights({ 'c/weight': turned(kernelOf(straight)) });
for (const [name, model] of [
  ['correlation', straight],
  ['convolution', flipping],
] as const) {
  await model.fit(pairs, { optimizer: adam({ learningRate: 0.02 }), epochs: 20, batchSize: 16, threads: 1 });
  const { accuracy } = await model.evaluate(pairs, { threads: 1 });
  print(`Learned with ${name}, ${100 * accuracy}% right`, kernelOf(model), 3, 2);
}
const apart = turned(kernelOf(flipping)).map((w, i) => Math.abs(w - kernelOf(straight)[i]!));
console.log(`\nThe two kernels, one turned, differ by ${Math.max(...apart).toExponential(1)} at most.`);

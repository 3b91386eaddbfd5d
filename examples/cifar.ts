/**
 * Trains and tries the notebook's network on CIFAR-10 through the library, without the command line.
 *
 *     npx node examples/cifar.ts [IMAGES] [EPOCHS]
 *
 * IMAGES: training images at most (default all), and validation and test images; EPOCHS: default 20.
 * The data are found, downloaded or drawn as `npm run train:cifar` does it.
 */
import { adam, cifar10, conv2d, dense, dropout, flatten, maxPooling2d, sequential } from 'faltung';

const [limit = Number.POSITIVE_INFINITY, epochs = 20] = process.argv.slice(2).map(Number);

const data = await cifar10.load({ validationSplit: 0.1, seed: 21, limit });
if (data.message !== undefined) console.warn(data.message);

const convolution = { kernelSize: 3, padding: 'same', activation: 'relu' } as const;
const model = sequential({ inputShape: [32, 32, 3], seed: 21 }, [
  conv2d({ filters: 32, ...convolution }),
  conv2d({ filters: 32, ...convolution }),
  maxPooling2d({ poolSize: 2 }),
  conv2d({ filters: 64, ...convolution }),
  conv2d({ filters: 64, ...convolution }),
  maxPooling2d({ poolSize: 2 }),
  conv2d({ filters: 128, ...convolution }),
  conv2d({ filters: 128, ...convolution }),
  maxPooling2d({ poolSize: 2 }),
  flatten(),
  dropout({ rate: 0.5 }),
  dense({ units: 128, activation: 'relu' }),
  dense({ units: 64, activation: 'relu' }),
  dense({ units: 10, activation: 'softmax' }),
]);
console.log(model.summary());

const history = await model.fit(data.train, {
  optimizer: adam(),
  loss: 'categoricalCrossentropy',
  epochs,
  batchSize: 32,
  validation: data.validation,
});
console.log(history.epochs.at(-1));
console.log(await model.evaluate(data.test));

const { data: probabilities } = await model.predict(data.test);
const first = probabilities.subarray(0, 10);
console.log(`The first test image: ${data.classNames[first.indexOf(Math.max(...first))]}`);

await model.close();

/** TensorFlow.js on the notebook network (variants 'wasm' and 'cpu'): Adam and dropout in training, as elsewhere. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CHECKED,
  CLASSES,
  foreign,
  medianStep,
  PIXELS,
  readImages,
  readParameters,
  readRequest,
  report,
  SIDE,
} from './peer.ts';

const request = readRequest();
const { task, batchSize, variant, folder } = request;
const tf = await foreign('@tensorflow/tfjs');
if (variant === 'wasm') {
  const { setWasmPaths } = await foreign('@tensorflow/tfjs-backend-wasm');
  const entry = fileURLToPath(import.meta.resolve('@tensorflow/tfjs-backend-wasm'));
  setWasmPaths(`${join(dirname(entry), '..', 'dist')}/`);
}
await tf.setBackend(variant);
await tf.ready();

const conv = (filters: number, input?: number[]) =>
  tf.layers.conv2d({
    filters,
    kernelSize: 3,
    padding: 'same',
    activation: 'relu',
    ...(input && { inputShape: input }),
  });
const block = (filters: number, input?: number[]) => [
  conv(filters, input),
  conv(filters),
  tf.layers.maxPooling2d({ poolSize: 2 }),
];
const network = tf.sequential({
  layers: [
    ...block(32, [SIDE, SIDE, 3]),
    ...block(64),
    ...block(128),
    tf.layers.flatten(),
    tf.layers.dropout({ rate: 0.5 }),
    tf.layers.dense({ units: 128, activation: 'relu' }),
    tf.layers.dense({ units: 64, activation: 'relu' }),
    tf.layers.dense({ units: CLASSES, activation: 'softmax' }),
  ],
});
network.setWeights(readParameters(folder).map(({ shape, data }) => tf.tensor(data, shape)));
network.compile({ optimizer: tf.train.adam(), loss: 'categoricalCrossentropy' });

const { pixels, labels } = readImages(folder);
const images = (first: number, count: number) =>
  tf.tensor(pixels.slice(first * PIXELS, (first + count) * PIXELS), [count, SIDE, SIDE, 3]);

/** A forward pass whose result is awaited. */
async function predict(count: number): Promise<Float32Array> {
  const x = images(0, count);
  const y = network.predictOnBatch(x);
  const values = await y.data();
  tf.dispose([x, y]);
  return values;
}

async function train(step: number): Promise<void> {
  const first = (step * batchSize) % (labels.length - batchSize + 1);
  const x = images(first, batchSize);
  const y = tf.tidy(() =>
    tf.oneHot(tf.tensor1d(Array.from(labels.slice(first, first + batchSize)), 'int32'), CLASSES).toFloat(),
  );
  await network.trainOnBatch(x, y);
  tf.dispose([x, y]);
}

const probabilities = Array.from(await predict(CHECKED));
const run = task === 'training' ? train : () => predict(batchSize);
const milliseconds = await medianStep(request, run);
report({
  imagesPerSecond: (1000 * batchSize) / milliseconds,
  version: tf.version.tfjs,
  imageBytes: pixels.byteLength,
  probabilities,
});

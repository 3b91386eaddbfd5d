/**
 * ConvNetJS on the notebook network: one image at a time in plain JavaScript with f64 numbers. It has no Adam;
 * gradient descent with momentum, which costs less, stands in.
 */
import {
  CHECKED,
  foreign,
  medianStep,
  type Parameter,
  PIXELS,
  readImages,
  readParameters,
  readRequest,
  report,
  SIDE,
} from './peer.ts';

const request = readRequest();
const { task, batchSize, folder } = request;
const { default: convnetjs } = await foreign('convnetjs');

const conv = (filters: number) => ({ type: 'conv', sx: 3, filters, stride: 1, pad: 1, activation: 'relu' });
const block = (filters: number) => [conv(filters), conv(filters), { type: 'pool', sx: 2, stride: 2 }];
const network = new convnetjs.Net();
network.makeLayers([
  { type: 'input', out_sx: SIDE, out_sy: SIDE, out_depth: 3 },
  ...block(32),
  ...block(64),
  ...block(128),
  { type: 'dropout', drop_prob: 0.5 },
  { type: 'fc', num_neurons: 128, activation: 'relu' },
  { type: 'fc', num_neurons: 64, activation: 'relu' },
  { type: 'softmax', num_classes: 10 },
]);
setParameters(readParameters(folder));
const trainer = new convnetjs.Trainer(network, {
  method: 'sgd',
  learning_rate: 0.001,
  momentum: 0.9,
  batch_size: batchSize,
});

/** Its filters hold [y][x][channel] each, its dense neurons their inputs in the order of our flatten. */
function setParameters(parameters: readonly Parameter[]): void {
  const layers = network.layers.filter((layer: { filters?: unknown }) => layer.filters !== undefined);
  layers.forEach((layer: { filters: { w: Float64Array }[]; biases: { w: Float64Array } }, l: number) => {
    const [weight, bias] = [parameters[2 * l]!, parameters[2 * l + 1]!];
    const outputs = bias.data.length;
    // Its dropout scales by 1/2 in inference instead of by 2 in training: the next layer makes up for it.
    const scale = l === 6 ? 2 : 1;
    layer.filters.forEach(({ w }, k) => {
      for (let i = 0; i < w.length; i++) w[i] = scale * weight.data[i * outputs + k]!;
    });
    layer.biases.w.set(bias.data);
  });
}

const { pixels, labels } = readImages(folder);
const volumes = Array.from({ length: Math.min(labels.length, Math.max(batchSize, CHECKED)) }, (_, n) => {
  const volume = new convnetjs.Vol(SIDE, SIDE, 3, 0);
  volume.w.set(pixels.subarray(n * PIXELS, (n + 1) * PIXELS));
  return volume;
});

function step(): void {
  for (let n = 0; n < batchSize; n++) {
    if (task === 'training') trainer.train(volumes[n], labels[n]);
    else network.forward(volumes[n], false);
  }
}

const probabilities = volumes
  .slice(0, CHECKED)
  .flatMap((volume) => Array.from(network.forward(volume, false).w as Float64Array));
const milliseconds = await medianStep(request, step);
report({
  imagesPerSecond: (1000 * batchSize) / milliseconds,
  version: '0.3.0',
  imageBytes: pixels.byteLength,
  probabilities,
});

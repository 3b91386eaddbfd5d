/** ONNX Runtime on a network, native or as WebAssembly (variants 'node' and 'web'): inference only. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { foreign, medianStep, readImages, readNetworkFile, readRequest, report } from './peer.ts';

const request = readRequest();
const { batchSize, threads, variant, folder } = request;
const { inputShape, checked } = readNetworkFile(folder);
const [channels, height, width] = inputShape as [number, number, number];
const ort = await foreign(`onnxruntime-${variant}`);
if (variant === 'web') ort.env.wasm.numThreads = threads;
const session = variant === 'web' ? await openInMemory() : await openFile();
const { pixels } = readImages(folder);
const planar = toPlanes(pixels);

function openFile() {
  const options = { intraOpNumThreads: threads, executionProviders: ['cpu'] };
  return ort.InferenceSession.create(join(folder, 'model.onnx'), options);
}

/** It has no file system: the parameters are handed over. */
function openInMemory() {
  const data = readFileSync(join(folder, 'parameters.f32'));
  return ort.InferenceSession.create(readFileSync(join(folder, 'model.onnx')), {
    intraOpNumThreads: threads,
    executionProviders: ['wasm'],
    externalData: [{ path: 'parameters.f32', data }],
  });
}

/** [N, H, W, C] to [N, C, H, W]. */
function toPlanes(images: Float32Array): Float32Array {
  const area = height * width;
  const size = channels * area;
  return images.map((_, i) => {
    const [n, c, pixel] = [Math.floor(i / size), Math.floor(i / area) % channels, i % area];
    return images[n * size + pixel * channels + c]!;
  });
}

function batch(count: number) {
  const values = planar.slice(0, count * channels * height * width);
  return new ort.Tensor('float32', values, [count, channels, height, width]);
}

const probabilities = Array.from((await session.run({ x: batch(checked) })).y.data as Float32Array);
const x = batch(batchSize);
const milliseconds = await medianStep(request, () => session.run({ x }));
report({
  imagesPerSecond: (1000 * batchSize) / milliseconds,
  version: ort.env.versions?.[variant] ?? ort.env.versions?.common ?? '',
  imageBytes: pixels.byteLength + planar.byteLength,
  probabilities,
});

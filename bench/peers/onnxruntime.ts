/** ONNX Runtime on the notebook network, native or as WebAssembly (variants 'node' and 'web'): inference only. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKED, foreign, medianStep, PIXELS, readImages, readRequest, report, SIDE } from './peer.ts';

const request = readRequest();
const { batchSize, threads, variant, folder } = request;
const ort = await foreign(`onnxruntime-${variant}`);
if (variant === 'web') ort.env.wasm.numThreads = threads;
const session = await ort.InferenceSession.create(readFileSync(join(folder, 'model.onnx')), {
  intraOpNumThreads: threads,
  executionProviders: [variant === 'node' ? 'cpu' : 'wasm'],
});
const { pixels } = readImages(folder);
const planar = toPlanes(pixels);

/** [N, H, W, C] to [N, C, H, W]. */
function toPlanes(images: Float32Array): Float32Array {
  const area = SIDE * SIDE;
  return images.map((_, i) => {
    const [n, c, pixel] = [Math.floor(i / PIXELS), Math.floor(i / area) % 3, i % area];
    return images[n * PIXELS + pixel * 3 + c]!;
  });
}

function batch(count: number) {
  return new ort.Tensor('float32', planar.slice(0, count * PIXELS), [count, 3, SIDE, SIDE]);
}

const checked = await session.run({ x: batch(CHECKED) });
const x = batch(batchSize);
const milliseconds = await medianStep(request, () => session.run({ x }));
report({
  imagesPerSecond: (1000 * batchSize) / milliseconds,
  version: ort.env.versions?.[variant] ?? ort.env.versions?.common ?? '',
  imageBytes: pixels.byteLength + planar.byteLength,
  probabilities: Array.from(checked.y.data as Float32Array),
});

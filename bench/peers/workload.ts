/** The files that all peers read: images, labels, the network's weights, the network as an ONNX model. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cifarNotebook, sequential } from '../../src/index.ts';
import { normal, streamKey } from '../../src/math/random.ts';
import { loadImages } from '../children/images.ts';
import { onnxModel } from './onnx-model.ts';
import { CHECKED, type Parameter, PIXELS, readImages, SIDE } from './peer.ts';

export interface Workload {
  readonly folder: string;
  /** 'cifar10' or 'synthetic'. */
  readonly source: string;
  /** What Faltung makes of the first images, [CHECKED, 10]. */
  readonly probabilities: Float32Array;
  /** Deletes the files. */
  remove(): void;
}

/** Images in memory: more than the caches hold. */
export const IMAGES = 2560;

/** Writes the files into a new folder. `data`: CIFAR-10's folder, or 'synthetic'. */
export async function createWorkload(data: string): Promise<Workload> {
  const folder = mkdtempSync(join(tmpdir(), 'faltung-peers-'));
  const images = await loadImages(data, IMAGES);
  writeFileSync(join(folder, 'images.u8'), images.pixels);
  writeFileSync(join(folder, 'labels.u8'), Uint8Array.from(images.labels));

  const model = sequential({ inputShape: [SIDE, SIDE, 3], seed: 21 }, cifarNotebook());
  const weights = Object.entries(model.getWeights());
  // Biases start at zero; with others a peer that leaves them out is found.
  const key = streamKey(21, 'bench', 'bias');
  for (const [, { shape, data: values }] of weights) {
    if (shape.length === 1) values.set(values.map((_, i) => 0.1 * normal(key, i)));
  }
  model.setWeights(Object.fromEntries(weights));
  const prediction = await model.predict(readImages(folder).pixels.slice(0, CHECKED * PIXELS));
  await model.close();
  const parameters = weights.map(([name, { shape, data: values }]): Parameter => {
    return { name, shape, data: values };
  });
  writeParameters(folder, parameters);
  writeFileSync(join(folder, 'model.onnx'), await onnxModel(parameters));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  return { folder, source: data === 'synthetic' ? data : 'cifar10', probabilities: prediction.data, remove };
}

function writeParameters(folder: string, parameters: readonly Parameter[]): void {
  const list = parameters.map(({ name, shape }) => ({ name, shape }));
  writeFileSync(join(folder, 'weights.json'), JSON.stringify(list));
  const chunks = parameters.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  writeFileSync(join(folder, 'weights.f32'), Buffer.concat(chunks));
}

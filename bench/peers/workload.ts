/**
 * The files that all peers read: images.u8, labels.u8; the network as steps (network.json, parameters.f32) and as an
 * ONNX model (model.onnx, whose parameters are those of parameters.f32); for systems that have the notebook network's
 * layers themselves, its weights in Keras' layouts (weights.json, weights.f32).
 */
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { foldBatchNormalization, type Model } from '../../src/index.ts';
import { imagesFor } from '../children/images.ts';
import { drawnNetwork, type NetworkName, networks } from '../networks.ts';
import { describeNetwork, type NetworkDescription } from './network-description.ts';
import { onnxModel } from './onnx-model.ts';
import { CHECKED, type NetworkFile, readImages, type Task } from './peer.ts';

export interface Workload {
  readonly network: NetworkName;
  readonly folder: string;
  /** 'cifar10' or 'synthetic'. */
  readonly source: string;
  /** What Faltung makes of the first images, [checked, classes]. */
  readonly probabilities: Float32Array;
  /** Deletes the files. */
  remove(): void;
}

/** Images in memory: of small ones more than the caches hold, of large ones those of a batch. */
export function imageCount(network: NetworkName): number {
  return networks[network].inputShape[0] > 32 ? 8 : 2560;
}

/**
 * Writes the files into a new folder. `data`: CIFAR-10's folder, or 'synthetic'. Where nobody trains, normalisations
 * that a convolution can take in are folded into it.
 */
export async function createWorkload(
  network: NetworkName,
  tasks: readonly Task[],
  data: string,
): Promise<Workload> {
  const folder = mkdtempSync(join(tmpdir(), 'faltung-peers-'));
  const images = await imagesFor(network, data, imageCount(network));
  writeFileSync(join(folder, 'images.u8'), images.pixels);
  writeFileSync(join(folder, 'labels.u8'), Uint8Array.from(images.labels));
  await using drawn = drawnNetwork(network);
  await using model = tasks.includes('training') ? drawn : foldBatchNormalization(drawn);
  if (network === 'cifarNotebook') writeWeights(folder, model);
  const description = describeNetwork(model);
  const written = writeParameters(folder, description);
  writeFileSync(join(folder, 'network.json'), JSON.stringify(written));
  if (tasks.includes('inference')) writeFileSync(join(folder, 'model.onnx'), await onnxModel(written));
  const { pixels } = readImages(folder);
  const checked = pixels.subarray(0, (pixels.length / images.labels.length) * CHECKED);
  const { data: probabilities } = await model.predict(checked);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  return { network, folder, source: data === 'synthetic' ? data : 'cifar10', probabilities, remove };
}

function writeWeights(folder: string, model: Model): void {
  const weights = Object.entries(model.getWeights());
  const list = weights.map(([name, { shape }]) => ({ name, shape }));
  writeFileSync(join(folder, 'weights.json'), JSON.stringify(list));
  writeFileSync(join(folder, 'weights.f32'), Buffer.concat(weights.map(([, { data }]) => bytesOf(data))));
}

/** Writes parameters.f32 one parameter after the other. */
function writeParameters(folder: string, { parameters, ...description }: NetworkDescription): NetworkFile {
  const file = openSync(join(folder, 'parameters.f32'), 'w');
  try {
    let offset = 0;
    const list = parameters.map(({ name, shape, data }) => {
      const bytes = bytesOf(data);
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
      offset += bytes.length;
      return { name, shape, offset: offset - bytes.length };
    });
    return { ...description, checked: CHECKED, parameters: list };
  } finally {
    closeSync(file);
  }
}

function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

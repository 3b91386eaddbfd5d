/**
 * The images that a measuring process trains on or looks at: so many and no more, so that its memory and its start
 * are the engine's own.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { arrayDataset } from '../../src/data/array-dataset.ts';
import { parseCifar10, RECORD_BYTES, TRAINING_FILES } from '../../src/data/cifar10-format.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { drawSyntheticImages } from '../../src/data/synthetic.ts';
import { ConfigError } from '../../src/errors.ts';
import { randomWord, streamKey } from '../../src/math/random.ts';
import { type NetworkName, networks } from '../networks.ts';
import { STANDARD } from '../standardize.ts';

/** Bytes [N, H, W, 3] and class indices [N]. */
export interface Images {
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
}

/**
 * The first `count` images of CIFAR-10's first file in the folder `data`, at most 10,000; or drawn ones for
 * 'synthetic'. Throws ConfigError where the folder has no such file.
 */
export async function loadImages(data: string, count: number): Promise<Images> {
  if (data === 'synthetic') return drawSyntheticImages({ size: count, seed: 0, split: 'train' });
  const path = join(data, TRAINING_FILES[0]!);
  const file = await open(path).catch((cause: Error) => {
    throw new ConfigError(
      {
        operation: 'bench',
        argument: '--data',
        expected: 'CIFAR-10 in binary form',
        received: cause.message,
      },
      { cause },
    );
  });
  try {
    const bytes = new Uint8Array(count * RECORD_BYTES);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    const images = { pixels: new Uint8Array(count * 3072), labels: new Int32Array(count) };
    parseCifar10(path, bytes.subarray(0, bytesRead), images.pixels, images.labels, count);
    return images;
  } finally {
    await file.close();
  }
}

/** The first images for a network: those of `loadImages` where it is for such, bytes of noise elsewhere. */
export function imagesFor(name: NetworkName, data: string, count: number): Promise<Images> {
  const { inputShape, classes } = networks[name];
  if (inputShape[0] === 32) return loadImages(data, count);
  const key = streamKey(0, 'bench', 'images');
  const pixels = new Uint8Array(count * inputShape[0] * inputShape[1] * inputShape[2]);
  const words = new Uint32Array(pixels.buffer, 0, pixels.length >> 2);
  for (let i = 0; i < words.length; i++) words[i] = randomWord(key, i);
  return Promise.resolve({ pixels, labels: Int32Array.from({ length: count }, (_, i) => i % classes) });
}

/** As a data set of bytes that the engine standardises. */
export function imageDataset(name: NetworkName, { pixels, labels }: Images): Dataset {
  const { inputShape, classes } = networks[name];
  const each = (value: number) => [value, value, value];
  return arrayDataset({
    inputs: pixels,
    inputShape,
    targets: labels,
    classes,
    normalization: { kind: 'standardize', mean: each(STANDARD.mean), std: each(STANDARD.std) },
  });
}

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

/** Bytes [N, 32, 32, 3] and class indices [N]. */
export interface Images {
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
}

export const IMAGE_SHAPE = [32, 32, 3] as const;
export const CLASSES = 10;
/** The same standardisation for all: (byte / 255 - mean) / std. */
export const STANDARD = { mean: 0.473, std: 0.25 } as const;

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

/** As a data set of bytes that the engine standardises. */
export function imageDataset({ pixels, labels }: Images): Dataset {
  const each = (value: number) => [value, value, value];
  return arrayDataset({
    inputs: pixels,
    inputShape: IMAGE_SHAPE,
    targets: labels,
    classes: CLASSES,
    normalization: { kind: 'standardize', mean: each(STANDARD.mean), std: each(STANDARD.std) },
  });
}

/** The standardised floats of bytes. */
export function standardize(bytes: Uint8Array): Float32Array {
  return Float32Array.from(bytes, (byte) => (byte / 255 - STANDARD.mean) / STANDARD.std);
}

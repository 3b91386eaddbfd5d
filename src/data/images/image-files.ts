/** A data set of picture files: decoded when they are asked for, and kept as long as there is room. */
import { ConfigError } from '../../errors.ts';
import {
  type BatchBuffer,
  checkDataset,
  checkLabels,
  checkRead,
  type Dataset,
  type Normalization,
  type Resize,
} from '../dataset.ts';
import { type DecodeOptions, decodeImage } from './decode.ts';
import { resizeInto } from './resize.ts';

export interface ImageFilesOptions extends Pick<DecodeOptions, 'maxPixels'> {
  /** [height, width, channels] that every picture is brought to; 3 channels or 1. */
  readonly inputShape: readonly [height: number, width: number, channels: number];
  /** Class indices, one a file. Default: all 0, for prediction. */
  readonly labels?: ArrayLike<number>;
  /** Default: as many as there are names, else the largest label + 1. */
  readonly classes?: number;
  readonly classNames?: readonly string[];
  /** Default: none. */
  readonly normalization?: Normalization;
  /** Default 'stretch', Keras'. */
  readonly resize?: Resize;
  /** Bytes of decoded pictures, in their final size, that are kept in memory. Default 1 GiB. */
  readonly cacheBytes?: number;
}

/** Pictures that are decoded at the same time: what they take in full size is bounded by it. */
const AT_ONCE = 4;
const GIBIBYTE = 1_073_741_824;

/**
 * A data set of bytes [H, W, C] over picture files. Pictures that no longer fit into `cacheBytes` are decoded anew each
 * time: the first to be read are those that stay. `read` throws what `decodeImage` throws, naming the file. Throws
 * ConfigError, ShapeError or DataError for options that make no sense.
 */
export function imageFiles(files: readonly string[], options: ImageFilesOptions): Dataset {
  const operation = 'imageFiles';
  const { inputShape, labels = new Int32Array(files.length), classNames, normalization } = options;
  const { resize = 'stretch', cacheBytes = GIBIBYTE, maxPixels } = options;
  const channels = inputShape[2];
  if (channels !== 1 && channels !== 3) refuse('inputShape', '3 channels or 1', String(channels));
  if (!['stretch', 'crop', 'pad'].includes(resize)) refuse('resize', "'stretch', 'crop' or 'pad'", resize);
  if (!(cacheBytes >= 0)) refuse('cacheBytes', 'a number of bytes, 0 or more', String(cacheBytes));
  if (labels.length !== files.length) refuse('labels', `${files.length}, one a file`, String(labels.length));
  let largest = 0;
  for (let i = 0; i < labels.length; i++) largest = Math.max(largest, labels[i]!);
  const classes = options.classes ?? classNames?.length ?? largest + 1;
  const [height, width] = inputShape;
  const bytes = height * width * channels;
  const room = Math.floor(cacheBytes / bytes);
  const kept = new Map<number, Uint8Array>();
  const decode = async (index: number, target: Uint8Array, offset: number) => {
    const found = kept.get(index);
    if (found !== undefined) {
      target.set(found, offset);
      return;
    }
    const limits = maxPixels === undefined ? {} : { maxPixels };
    const image = await decodeImage(files[index]!, { channels, ...limits });
    resizeInto(image, height, width, resize, target, offset);
    if (kept.size < room) kept.set(index, target.slice(offset, offset + bytes));
  };
  const dataset: Dataset = {
    size: files.length,
    inputShape,
    inputType: 'uint8',
    targets: { kind: 'index', classes },
    ...(classNames && { classNames }),
    ...(normalization && { normalization }),
    resize,
    async read(indices: Uint32Array, into: BatchBuffer) {
      checkRead('imageFiles.read', dataset, indices, into);
      for (let i = 0; i < indices.length; i++) into.targets[i] = labels[indices[i]!]!;
      await inParallel(indices.length, (i) => decode(indices[i]!, into.inputs as Uint8Array, i * bytes));
    },
  };
  checkDataset(operation, dataset);
  checkLabels(operation, labels, classes);
  return dataset;
}

/** Runs `body` for 0..count-1, a few at a time; waits for all, then throws the error of the first that failed. */
export async function inParallel(count: number, body: (index: number) => Promise<void>): Promise<void> {
  const errors = new Map<number, unknown>();
  let next = 0;
  const work = async () => {
    while (next < count && errors.size === 0) {
      const index = next++;
      await body(index).catch((error) => errors.set(index, error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, work));
  if (errors.size > 0) throw errors.get(Math.min(...errors.keys()));
}

function refuse(argument: string, expected: string, received: string): never {
  throw new ConfigError({ operation: 'imageFiles', argument, expected, received });
}

/** Single pictures through a classifier: decoded and resized one by one, so that a damaged one spoils no other. */
import { FaltungError } from '../../src/errors.ts';
import { arrayDataset, type Dataset, type Engine, imageFiles, type Resize } from '../../src/index.ts';
import type { Classifier } from './open-model.ts';

/** What the model says of a picture: an output a class, or why there is none. */
export type Answer =
  | { readonly image: string; readonly outputs: Float32Array }
  | { readonly image: string; readonly error: string };

/** Pictures that are in memory at a time. */
const CHUNK = 64;

/** The answers to pictures, in their order. */
export async function classify(
  classifier: Classifier,
  images: readonly string[],
  options: { readonly engine: Engine; readonly resize?: Resize },
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let from = 0; from < images.length; from += CHUNK) {
    answers.push(...(await classifyChunk(classifier, images.slice(from, from + CHUNK), options)));
  }
  return answers;
}

async function classifyChunk(
  classifier: Classifier,
  images: readonly string[],
  { engine, resize }: { readonly engine: Engine; readonly resize?: Resize },
): Promise<Answer[]> {
  const { model, inputShape, classes } = classifier;
  const length = inputShape[0] * inputShape[1] * inputShape[2];
  const inputs = new Uint8Array(images.length * length);
  const errors: (string | undefined)[] = [];
  let count = 0;
  for (const image of images) {
    try {
      await readPicture(classifier, image, inputs.subarray(count * length, (count + 1) * length), resize);
      errors.push(undefined);
      count += 1;
    } catch (error) {
      if (!(error instanceof FaltungError) || error.details.argument !== image) throw error;
      errors.push(error.message);
    }
  }
  const data =
    count === 0
      ? new Float32Array(0)
      : (await model.predict(datasetOf(classifier, inputs.subarray(0, count * length)), { engine })).data;
  let at = 0;
  return images.map((image, i): Answer => {
    const error = errors[i];
    if (error !== undefined) return { image, error };
    at += 1;
    return { image, outputs: data.slice((at - 1) * classes, at * classes) };
  });
}

/** One picture in the model's size, as bytes [H, W, C]. Throws what `decodeImage` throws. */
export async function readPicture(
  { inputShape, resize: usual }: Classifier,
  image: string,
  into: Uint8Array,
  resize: Resize = usual,
): Promise<void> {
  const one = imageFiles([image], { inputShape, resize, cacheBytes: 0 });
  await one.read(Uint32Array.of(0), { inputs: into, targets: new Int32Array(1) });
}

/** Pictures in the model's size as a data set that is normalised as the model's own was. */
export function datasetOf(classifier: Classifier, inputs: Uint8Array): Dataset {
  const { inputShape, classes, classNames, normalization } = classifier;
  const count = inputs.length / (inputShape[0] * inputShape[1] * inputShape[2]);
  const targets = new Int32Array(count);
  return arrayDataset({ inputs, inputShape, targets, classes, classNames, normalization });
}

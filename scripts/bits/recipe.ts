/**
 * A short training run whose bits everything in the library has a part in: augmentation, normalisation, Winograd's
 * algorithm in all three passes, direct, strided, grouped, dilated, transposed and depthwise convolution, batch
 * normalisation, pooling, dropout, every activation, a concatenation, Adam, a smaller last batch, validation and
 * prediction; and a second, dense network with SGD, weights of samples and classes.
 *
 * It is given the library, so that the same run is made with the sources here and with the built package elsewhere,
 * and it must run on the oldest Node that is supported: types only are imported.
 */
import type * as Library from '../../src/index.ts';

type Faltung = typeof Library;

/** What must be equal everywhere. */
export interface Fingerprint {
  /** SHA-256 of the trained weights of both networks, in hexadecimal. */
  readonly weights: string;
  /** Losses and accuracies of both, of training and validation, as hexadecimal f64. */
  readonly metrics: string;
  /** SHA-256 of predictions of both. */
  readonly outputs: string;
}

/** SHA-256 in hexadecimal. */
export type Sha256 = (bytes: Uint8Array) => string;

const SIDE = 12;
const CLASSES = 10;
const SAMPLES = 22;
const HELD_OUT = 9;
const BATCH = 8;

/** Trains both networks with an engine. */
export async function fingerprint(
  faltung: Faltung,
  engine: Library.Engine,
  sha256: Sha256,
): Promise<Fingerprint> {
  const parts = [await imageRun(faltung, engine), await vectorRun(faltung, engine)];
  const join = (pick: (part: Part) => Uint8Array) => sha256(concatenated(parts.map(pick)));
  return {
    weights: join(({ weights }) => weights),
    metrics: parts.flatMap(({ metrics }) => metrics.map(hexadecimal)).join(' '),
    outputs: join(({ outputs }) => outputs),
  };
}

interface Part {
  readonly weights: Uint8Array;
  readonly metrics: readonly number[];
  readonly outputs: Uint8Array;
}

/** The first network: `layers` alone, so that tests can look at what is in it. */
export function imageModel(faltung: Faltung): Library.Model {
  const { activation, averagePooling2d, batchNormalization, concatenate, conv2d, conv2dTranspose } = faltung;
  const { dense, dropout, flatten, functional, input, maxPooling2d, prelu } = faltung;
  const image = input({ shape: [SIDE, SIDE, 3] });
  const same = { kernelSize: 3, padding: 'same' } as const;
  const first = conv2d({ ...same, filters: 16, activation: 'relu' })(image);
  const winograd4 = conv2d({ ...same, filters: 24, algorithm: 'winograd4' })(first);
  const normed = prelu()(batchNormalization()(winograd4));
  const pooled = maxPooling2d({ poolSize: 2 })(normed);
  const winograd2 = conv2d({ ...same, filters: 16, algorithm: 'winograd2', activation: 'gelu' })(pooled);
  const grouped = conv2d({ ...same, filters: 8, groups: 4, dilationRate: 2, activation: 'elu' })(pooled);
  const depthwise = conv2d({ ...same, filters: 24, groups: 24, activation: 'softplus' })(pooled);
  const joined = concatenate()([winograd2, grouped, depthwise]);
  const dropped = dropout({ rate: 0.25 })(joined);
  const strided = conv2d({ filters: 12, kernelSize: 3, strides: 2, activation: 'tanh' })(dropped);
  const wider = conv2dTranspose({ filters: 6, kernelSize: 3, strides: 2, activation: 'sigmoid' })(strided);
  const flat = flatten()(averagePooling2d({ poolSize: 2 })(wider));
  const hidden = activation({ function: 'geluTanh' })(dense({ units: 20 })(flat));
  const output = dense({ units: CLASSES, activation: 'softmax' })(dropout({ rate: 0.5 })(hidden));
  return functional({ inputs: image, outputs: output, seed: 21 });
}

async function imageRun(faltung: Faltung, engine: Library.Engine): Promise<Part> {
  const trained = imageModel(faltung);
  const { epochs } = await trained.fit(images(faltung, SAMPLES, 1), {
    engine,
    optimizer: faltung.adam({ learningRate: 0.01 }),
    batchSize: BATCH,
    epochs: 2,
    augmentation: faltung.notebookAugmentation,
    validation: images(faltung, HELD_OUT, 2),
  });
  const outputs = await trained.predict(images(faltung, HELD_OUT, 2), { engine, batchSize: 4 });
  return part(trained, epochs, outputs);
}

async function vectorRun(faltung: Faltung, engine: Library.Engine): Promise<Part> {
  const { dense, sequential, sgd } = faltung;
  const trained = sequential({ inputShape: [30], seed: 4 }, [
    dense({ units: 33, activation: 'leakyRelu', kernelInitializer: 'heNormal' }),
    dense({ units: 17, activation: 'tanh', kernelInitializer: 'lecunUniform' }),
    dense({ units: CLASSES, activation: 'softmax' }),
  ]);
  const data = vectors(faltung, SAMPLES);
  const { epochs } = await trained.fit(data, {
    engine,
    optimizer: sgd({ learningRate: (step) => 0.1 / (1 + step), momentum: 0.9, nesterov: true }),
    batchSize: 5,
    epochs: 3,
    sampleWeight: Float32Array.from({ length: SAMPLES }, (_, i) => 0.5 + (i % 4) / 4),
    classWeight: Float32Array.from({ length: CLASSES }, (_, i) => 1 + (i % 3) / 2),
  });
  return part(trained, epochs, await trained.predict(data, { engine }));
}

async function part(
  trained: Library.Model,
  epochs: readonly Library.EpochRecord[],
  { data }: Library.Prediction,
): Promise<Part> {
  const weights = Object.values(trained.getWeights()).map((weight) => littleEndian(weight.data));
  await trained.close();
  const metrics = epochs.flatMap(({ loss, accuracy, valLoss, valAccuracy }) =>
    [loss, accuracy, valLoss, valAccuracy].filter((value) => value !== undefined),
  );
  return { weights: concatenated(weights), metrics, outputs: littleEndian(data) };
}

/** Bytes that look like noise: the high bits of a linear congruential generator (Numerical Recipes' constants). */
function noise(length: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 24;
  });
}

function images({ arrayDataset }: Faltung, size: number, seed: number): Library.Dataset {
  return arrayDataset({
    inputs: noise(size * SIDE * SIDE * 3, seed),
    inputShape: [SIDE, SIDE, 3],
    targets: Int32Array.from({ length: size }, (_, i) => (i * 7 + seed) % CLASSES),
    classes: CLASSES,
    normalization: { kind: 'standardize', mean: [125, 123, 114], std: [63, 62, 67] },
  });
}

function vectors({ arrayDataset }: Faltung, size: number): Library.Dataset {
  return arrayDataset({
    inputs: Float32Array.from(noise(size * 30, 3), (byte) => (byte - 127.5) / 64),
    inputShape: [30],
    targets: Int32Array.from({ length: size }, (_, i) => (i * 3) % CLASSES),
    classes: CLASSES,
  });
}

function littleEndian(values: Float32Array): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => {
    bytes.setFloat32(4 * i, value, true);
  });
  return new Uint8Array(bytes.buffer);
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const each of parts) {
    all.set(each, at);
    at += each.length;
  }
  return all;
}

function hexadecimal(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, '0');
}

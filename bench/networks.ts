/** The networks that are measured as wholes, here and beside other systems: what they see, and with which weights. */
import {
  adam,
  cifarNotebook,
  denseNet121,
  foldBatchNormalization,
  functional,
  type Model,
  type Optimizer,
  resNet20,
  resNet50,
  sequential,
  sgd,
  vgg16,
} from '../src/index.ts';
import { normal, streamKey } from '../src/math/random.ts';

export interface BenchNetwork {
  /** [height, width, channels] of an image. */
  readonly inputShape: readonly [number, number, number];
  readonly classes: number;
  /** With the weights that its seed draws. */
  make(): Model;
  /** What it is trained with. */
  readonly training: 'adam' | 'sgd';
}

const SEED = 21;
const CIFAR = { inputShape: [32, 32, 3], classes: 10 } as const;
const IMAGENET = { inputShape: [224, 224, 3], classes: 1000 } as const;
const known = {
  cifarNotebook: {
    ...CIFAR,
    make: () => sequential({ inputShape: CIFAR.inputShape, seed: SEED }, cifarNotebook()),
    training: 'adam',
  },
  resNet20: { ...CIFAR, make: () => functional({ ...resNet20(), seed: SEED }), training: 'sgd' },
  vgg16: {
    ...IMAGENET,
    make: () => sequential({ inputShape: IMAGENET.inputShape, seed: SEED }, vgg16()),
    training: 'sgd',
  },
  resNet50: { ...IMAGENET, make: () => functional({ ...resNet50(), seed: SEED }), training: 'sgd' },
  denseNet121: { ...IMAGENET, make: () => functional({ ...denseNet121(), seed: SEED }), training: 'sgd' },
} as const satisfies Record<string, BenchNetwork>;

export type NetworkName = keyof typeof known;
export const networks: Readonly<Record<NetworkName, BenchNetwork>> = known;

/** 'sgd' as in He et al. 2016, section 4.2, at a rate that harms no network on drawn images. */
export function optimizerOf(name: NetworkName): Optimizer {
  if (networks[name].training === 'adam') return adam();
  return sgd({ learningRate: 0.01, momentum: 0.9, l2: 1e-4 });
}

/** Whether this is the name of one. */
export function isNetwork(name: string): name is NetworkName {
  return Object.hasOwn(known, name);
}

/**
 * The network with weights under which activations keep their size through all layers, and probabilities depend on every
 * parameter: without them a network with one layer left out, or without biases, would look the same.
 */
export function drawnNetwork(name: NetworkName): Model {
  const model = networks[name].make();
  const weights = model.getWeights();
  for (const [parameter, { shape, data }] of Object.entries(weights)) {
    const key = streamKey(SEED, 'bench', parameter);
    const drawn = DRAWN[parameter.split('/').at(-1)!];
    if (drawn === undefined) rescale(data, shape);
    else data.set(data.map((_, i) => drawn(normal(key, i))));
  }
  model.setWeights(weights);
  return model;
}

/** The network as it is used: normalisations folded into the convolutions before them. */
export async function drawnForInference(name: NetworkName): Promise<Model> {
  const model = drawnNetwork(name);
  const folded = foldBatchNormalization(model);
  await model.close();
  return folded;
}

/** Parameters other than weights from normal deviates. */
const DRAWN: Readonly<Record<string, (deviate: number) => number>> = {
  bias: (z) => 0.1 * z,
  gamma: (z) => 0.7 + 0.1 * z,
  beta: (z) => 0.1 * z,
  movingMean: (z) => 0.1 * z,
  movingVariance: (z) => 1 + 0.1 * Math.abs(z),
};

/** To He's size: mean square 2 / inputs of an output. */
function rescale(data: Float32Array, shape: readonly number[]): void {
  const inputs = data.length / shape.at(-1)!;
  let squares = 0;
  for (const w of data) squares += w * w;
  const factor = Math.sqrt((2 / inputs) * (data.length / squares));
  for (let i = 0; i < data.length; i++) data[i] = factor * data[i]!;
}

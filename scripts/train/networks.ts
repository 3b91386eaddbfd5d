/** Networks for images of any size and any number of classes, by name. */
import {
  denseNet121,
  functional,
  type Model,
  type ModelOptions,
  resNet18,
  resNet20,
  resNet50,
  sequential,
  smallConvNet,
  vgg16,
} from '../../src/index.ts';

export interface NetworkShape {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classes: number;
}

type Make = (shape: NetworkShape, options: ModelOptions) => Model;

export const NETWORKS = ['smallConvNet', 'resNet18', 'resNet20', 'resNet50', 'denseNet121', 'vgg16'] as const;

const makers: Readonly<Record<(typeof NETWORKS)[number], Make>> = {
  smallConvNet: (shape, options) => functional({ ...smallConvNet(shape), ...options }),
  resNet18: (shape, options) => functional({ ...resNet18(shape), ...options }),
  resNet20: (shape, options) => functional({ ...resNet20(shape), ...options }),
  resNet50: (shape, options) => functional({ ...resNet50(shape), ...options }),
  denseNet121: (shape, options) => functional({ ...denseNet121(shape), ...options }),
  vgg16: ({ inputShape, classes }, options) =>
    sequential({ inputShape, ...options }, vgg16({ classes, dropout: 0.5 })),
};

/** The model of a name. Throws ShapeError where images are too small for it. */
export function makeNetwork(
  name: (typeof NETWORKS)[number],
  shape: NetworkShape,
  options: ModelOptions,
): Model {
  return makers[name](shape, options);
}

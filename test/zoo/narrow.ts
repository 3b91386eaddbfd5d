/** Every network of the zoo by name, narrow and on small images, so that tests can run it. */
import {
  cifarInception,
  cifarNotebook,
  denseNet40,
  denseNet121,
  denseNet169,
  denseNet201,
  denseNetBC40,
  denseNetBC100,
  fcn8s,
  functional,
  type GoogLeNet,
  googLeNet,
  googLeNetBN,
  lenet5,
  type Model,
  type ModelOptions,
  type Network,
  resNet18,
  resNet20,
  resNet34,
  resNet50,
  resNet56,
  sequential,
  smallConvNet,
  uNet,
  vgg16,
  vgg19,
} from '../../src/index.ts';

const inputShape = [32, 32, 3] as const;
const vgg = { classes: 4, filters: 2, units: 8 };
const residual = { classes: 4, inputShape, filters: 2 };
const dense = { classes: 4, inputShape, growthRate: 2 };
const google = { classes: 4, inputShape: [80, 80, 3], filters: 4 } as const;

const branching = (network: Network | GoogLeNet) => (options: ModelOptions) =>
  functional({ ...network, ...options });

/** By the names of `npm run summary`. */
export const narrow: Readonly<Record<string, (options: ModelOptions) => Model>> = {
  cifarInception: branching(cifarInception()),
  cifarNotebook: (options) => sequential({ inputShape, ...options }, cifarNotebook()),
  denseNet40: branching(denseNet40(dense)),
  denseNet121: branching(denseNet121(dense)),
  denseNet169: branching(denseNet169(dense)),
  denseNet201: branching(denseNet201(dense)),
  denseNetBC40: branching(denseNetBC40(dense)),
  denseNetBC100: branching(denseNetBC100(dense)),
  fcn8s: branching(fcn8s({ classes: 3, inputShape, filters: 2, units: 8 })),
  googLeNet: branching(googLeNet(google)),
  googLeNetBN: branching(googLeNetBN(google)),
  lenet5: (options) => sequential({ inputShape: [32, 32, 1], ...options }, lenet5()),
  resNet18: branching(resNet18(residual)),
  resNet20: branching(resNet20(residual)),
  resNet34: branching(resNet34(residual)),
  resNet50: branching(resNet50(residual)),
  resNet56: branching(resNet56(residual)),
  smallConvNet: branching(smallConvNet({ filters: 2 })),
  uNet: branching(uNet({ inputShape, classes: 3, filters: 2 })),
  vgg16: (options) => sequential({ inputShape, ...options }, vgg16(vgg)),
  vgg19: (options) => sequential({ inputShape, ...options }, vgg19(vgg)),
};

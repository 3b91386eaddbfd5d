/** The networks of the zoo by name, as models, for the command lines. */
import { ConfigError } from '../../src/errors.ts';
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

type Make = (options: ModelOptions) => Model;

/** Makes a model of a network with branches. */
function branching(network: () => Network | GoogLeNet): Make {
  return (options) => functional({ ...network(), ...options });
}

/** All networks. */
export const networks: Readonly<Record<string, Make>> = {
  cifarInception: branching(cifarInception),
  cifarNotebook: (options) => sequential({ inputShape: [32, 32, 3], ...options }, cifarNotebook()),
  denseNet40: branching(denseNet40),
  denseNet121: branching(denseNet121),
  denseNet169: branching(denseNet169),
  denseNet201: branching(denseNet201),
  denseNetBC40: branching(denseNetBC40),
  denseNetBC100: branching(denseNetBC100),
  fcn8s: branching(fcn8s),
  googLeNet: branching(googLeNet),
  googLeNetBN: branching(googLeNetBN),
  lenet5: (options) => sequential({ inputShape: [32, 32, 1], ...options }, lenet5()),
  resNet18: branching(resNet18),
  resNet20: branching(resNet20),
  resNet34: branching(resNet34),
  resNet50: branching(resNet50),
  resNet56: branching(resNet56),
  smallConvNet: branching(smallConvNet),
  uNet: branching(uNet),
  vgg16: (options) => sequential({ inputShape: [224, 224, 3], ...options }, vgg16()),
  vgg19: (options) => sequential({ inputShape: [224, 224, 3], ...options }, vgg19()),
};

/** The network of a name, in upper or lower case. Throws ConfigError that lists the known ones. */
export function networkNamed(operation: string, name: string | undefined): Make {
  const found = Object.keys(networks).find((known) => known.toLowerCase() === name?.toLowerCase());
  if (found !== undefined) return networks[found]!;
  throw new ConfigError({
    operation,
    argument: 'NAME',
    expected: `one of ${Object.keys(networks).join(', ')}`,
    received: name === undefined ? 'none' : JSON.stringify(name),
  });
}

/** The networks of the zoo by name, as models, for the command lines. */
import { ConfigError } from '../../src/errors.ts';
import {
  cifarInception,
  cifarNotebook,
  functional,
  googLeNet,
  lenet5,
  type Model,
  type ModelOptions,
  sequential,
  uNet,
  vgg16,
  vgg19,
} from '../../src/index.ts';

type Make = (options: ModelOptions) => Model;

/** All networks. */
export const networks: Readonly<Record<string, Make>> = {
  cifarInception: (options) => functional({ ...cifarInception(), ...options }),
  cifarNotebook: (options) => sequential({ inputShape: [32, 32, 3], ...options }, cifarNotebook()),
  googLeNet: (options) => functional({ ...googLeNet(), ...options }),
  lenet5: (options) => sequential({ inputShape: [32, 32, 1], ...options }, lenet5()),
  uNet: (options) => functional({ ...uNet(), ...options }),
  vgg16: (options) => sequential({ inputShape: [224, 224, 3], ...options }, vgg16()),
  vgg19: (options) => sequential({ inputShape: [224, 224, 3], ...options }, vgg19()),
};

/** The network of a name. Throws ConfigError that lists the known ones. */
export function networkNamed(operation: string, name: string | undefined): Make {
  const make = name === undefined || !Object.hasOwn(networks, name) ? undefined : networks[name];
  if (make !== undefined) return make;
  throw new ConfigError({
    operation,
    argument: 'NAME',
    expected: `one of ${Object.keys(networks).join(', ')}`,
    received: name === undefined ? 'none' : JSON.stringify(name),
  });
}

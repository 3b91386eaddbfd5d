/** The networks that PyTorch's torchvision has, too, by name. */
import { ConfigError } from '../../src/errors.ts';
import { torchModules } from '../../src/index.ts';

export type TorchNetwork = keyof typeof torchModules;

/** The network of a name, in upper or lower case. Throws ConfigError that lists the known ones. */
export function torchNetworkNamed(operation: string, name: string | undefined): TorchNetwork {
  const known = Object.keys(torchModules) as TorchNetwork[];
  const found = known.find((each) => each.toLowerCase() === name?.toLowerCase());
  if (found !== undefined) return found;
  throw new ConfigError({
    operation,
    argument: 'NETWORK',
    expected: `one of ${known.join(', ')}`,
    received: name === undefined ? 'none' : JSON.stringify(name),
  });
}

/**
 * The network of the seed's notebook for CIFAR-10: 558,186 parameters.
 *
 *   conv 32, conv 32, pool | conv 64, conv 64, pool | conv 128, conv 128, pool | dropout 0.5 | 128, 64, 10
 *   all convolutions 3x3 'same' with ReLU; max pooling 2x2; softmax at the end
 */
import { conv2d, dense, dropout, flatten, maxPooling2d } from '../layers/index.ts';
import type { Layer } from '../layers/layer.ts';

/** Its layers, for `sequential({ inputShape: [32, 32, 3], seed }, cifarNotebook())`. */
export function cifarNotebook(): Layer[] {
  const block = (filters: number): Layer[] => {
    const options = { filters, kernelSize: 3, padding: 'same', activation: 'relu' } as const;
    return [conv2d(options), conv2d(options), maxPooling2d({ poolSize: 2 })];
  };
  return [
    ...block(32),
    ...block(64),
    ...block(128),
    flatten(),
    dropout({ rate: 0.5 }),
    dense({ units: 128, activation: 'relu' }),
    dense({ units: 64, activation: 'relu' }),
    dense({ units: 10, activation: 'softmax' }),
  ];
}

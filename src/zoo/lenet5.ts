/**
 * LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition", figure 2) in
 * the form in which it is built today: 61,706 parameters.
 *
 *   conv 6 5x5, average pool, conv 16 5x5, average pool, conv 120 5x5, 84, 10; tanh, softmax; images [32, 32, 1]
 *
 * The paper's own has a learned factor and bias in each subsampling map, leaves out connections from S2 to C3 (table
 * 1), and ends in radial basis functions: 60,000 parameters (section II.B). Here S2 and S4 are plain means, C3 sees all
 * of S2, and the end is a dense layer with a softmax.
 */
import { averagePooling2d, conv2d, dense, flatten } from '../layers/index.ts';
import type { Layer } from '../layers/layer.ts';

export interface LeNet5Options {
  /** Default 10. */
  readonly classes?: number;
}

/** Its layers, for `sequential({ inputShape: [32, 32, 1], seed }, lenet5())`. */
export function lenet5({ classes = 10 }: LeNet5Options = {}): Layer[] {
  const conv = (name: string, filters: number) =>
    conv2d({ name, filters, kernelSize: 5, activation: 'tanh' });
  return [
    conv('C1', 6),
    averagePooling2d({ name: 'S2' }),
    conv('C3', 16),
    averagePooling2d({ name: 'S4' }),
    conv('C5', 120),
    flatten(),
    dense({ name: 'F6', units: 84, activation: 'tanh' }),
    dense({ name: 'output', units: classes, activation: 'softmax' }),
  ];
}

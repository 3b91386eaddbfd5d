/** Networks whose tensors change shape or go along sequences, each held to everything that conformance-graph.ts checks. */
import test from 'node:test';
import {
  add,
  averagePooling1d,
  concatenate,
  conv1d,
  conv1dTranspose,
  conv2d,
  cropping2d,
  dense,
  depthwiseConv2d,
  flatten,
  globalAveragePooling1d,
  permute,
  reshape,
  separableConv2d,
  upSampling2d,
  zeroPadding2d,
} from '../../src/layers/index.ts';
import { checkExactGradients, checkNetwork, type Network } from '../helpers/conformance-graph.ts';

const conv = (filters: number, kernelSize = 3) => conv2d({ filters, kernelSize, padding: 'same' });
const along = (filters: number, kernelSize = 3) => conv1d({ filters, kernelSize, padding: 'same' });
const as = (...targetShape: number[]) => reshape({ targetShape });

/** On images [5, 4, 2], linear throughout: their gradients are exact on integers. */
const LINEAR: Record<string, Network> = {
  'reshaped between convolutions, so that both sides have halos': (x) => conv(2)(as(4, 5, 3)(conv(3, 5)(x))),
  'reshaped twice, then read with a halo': (x) => conv(2, 5)(as(2, 10, 2)(as(-1)(conv(2, 1)(x)))),
  'a part of a concatenation, reshaped': (x) => {
    const a = conv(3)(x);
    const joined = concatenate()([a, conv(2, 1)(x)]);
    return add()(
      [
        conv(2)(as(5, 3, 4)(a)),
        as(5, 3, -1)(conv(2, 1)(as(5, 3, 4)(conv(3, 1)(joined)))),
        as(5, 3, 2)(conv(2, 1)(as(15, 1, -1)(a))),
      ].slice(0, 2),
    );
  },
  'a reshaped tensor that is concatenated': (x) =>
    conv(2)(concatenate()([as(4, 5, 2)(conv(2)(x)), permute({ dims: [2, 1, 3] })(conv(3, 1)(x))])),
  'an image read row by row as a sequence, and back': (x) => {
    const steps = as(20, -1)(conv(3)(x));
    return conv(2)(as(5, 4, 2)(along(2, 5)(along(4)(steps))));
  },
  'sequences added, concatenated, pooled': (x) => {
    const steps = as(20, 2)(x);
    const [a, b] = [along(3, 5)(steps), along(3, 1)(steps)];
    const joined = concatenate()([a, b, add()([a, b])]);
    const less = averagePooling1d({ poolSize: 1, strides: 2 })(joined);
    const more = conv1dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: 'same' })(less);
    return dense({ units: 3 })(flatten()(add()([more, along(2)(joined)])));
  },
  'a sequence summed up by a head': (x) =>
    dense({ units: 3 })(
      globalAveragePooling1d()(
        along(
          2,
          4,
        )(
          as(
            16,
            1,
          )(
            cropping2d({
              cropping: [
                [1, 0],
                [0, 0],
              ],
            })(conv(1)(x)),
          ),
        ),
      ),
    ),
  'padding, cropping and upsampling around convolutions with halos': (x) => {
    const y = upSampling2d()(conv(3)(zeroPadding2d({ padding: [0, 1] })(x)));
    return conv(2, 5)(cropping2d({ cropping: { top: 1, right: 0, bottom: 2, left: 3 } })(conv(2)(y)));
  },
  'separable and depthwise convolutions, shared and concatenated': (x) => {
    const shared = separableConv2d({ filters: 2, kernelSize: 3, padding: 'same' });
    const y = depthwiseConv2d({ kernelSize: 3, padding: 'same' })(shared(x));
    return concatenate()([shared(y), shared(shared(x)), y]);
  },
};

for (const [name, network] of Object.entries(LINEAR)) {
  test(`${name}: exact gradients, one set of bits`, () => {
    for (const seed of [1, 2]) checkExactGradients(network, [5, 4, 2], 100 * seed);
    for (const seed of [3, 4]) checkNetwork(network, [5, 4, 2], 100 * seed);
  });
}

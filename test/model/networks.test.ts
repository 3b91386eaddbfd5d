/** Small networks with branches, each held to everything that conformance-graph.ts checks. */
import test from 'node:test';
import {
  activation,
  add,
  averagePooling2d,
  concatenate,
  conv2d,
  dense,
  dropout,
  flatten,
  globalAveragePooling2d,
  maxPooling2d,
} from '../../src/layers/index.ts';
import { checkExactGradients, checkNetwork, type Network } from '../helpers/conformance-graph.ts';

const conv = (filters: number, kernelSize = 3, options: object = {}) =>
  conv2d({ filters, kernelSize, padding: 'same', ...options });

/** Linear throughout: their gradients are exact on integers. */
const LINEAR: Record<string, Network> = {
  'fan-out: a tensor read by two convolutions with different halos': (x) =>
    add()([conv(3, 5)(x), conv(3, 1)(x)]),
  'a tensor added to itself': (x) => {
    const y = conv(4)(x);
    return add()([y, y, y]);
  },
  'a skip connection over two convolutions': (x) => {
    const y = conv(4)(x);
    return conv(2)(add()([y, conv(4, 3)(conv(4, 1)(y))]));
  },
  'concatenated convolutions with different halos, read by a third': (x) =>
    conv(2, 5)(concatenate()([conv(3, 1)(x), conv(2, 3)(x), conv(5, 5)(x)])),
  'concatenation whose part is read by others too, before and after': (x) => {
    const a = conv(3)(x);
    const b = conv(2, 1)(a);
    const joined = concatenate()([a, b]);
    const c = conv(4, 5)(joined);
    return add()([c, conv(4, 1)(a), conv(4, 3)(b)]);
  },
  'concatenations within concatenations, as in DenseNet': (x) => {
    let all = conv(2)(x);
    for (let i = 0; i < 3; i++) all = concatenate()([all, conv(3)(all)]);
    return conv(2, 1)(all);
  },
  'one tensor in two concatenations, and twice in one': (x) => {
    const [a, b] = [conv(2)(x), conv(3)(x)];
    const one = concatenate()([a, b, a]);
    const other = concatenate()([b, a]);
    return add()([conv(2)(one), conv(2, 5)(other)]);
  },
  'a convolution shared by two branches': (x) => {
    const shared = conv(3);
    return conv(2)(
      concatenate()([
        shared(x),
        shared(
          averagePooling2d({
            poolSize: 2,
            strides: 1,
            padding: { top: 1, right: 0, bottom: 0, left: 1 },
            countPadding: true,
          })(x),
        ),
      ]),
    );
  },
  'a convolution applied to its own output': (x) => {
    const shared = conv(2);
    return shared(shared(x));
  },
  'a shared dense layer on two vectors, concatenated': (x) => {
    const shared = dense({ units: 6 });
    const [a, b] = [flatten()(conv(1)(x)), flatten()(conv(1, 5)(x))];
    return dense({ units: 3 })(concatenate()([shared(a), shared(b)]));
  },
  'an output that others read too': (x) => {
    const y = conv(2, 3)(x);
    return add()([y, conv(2, 5)(y)]);
  },
};

for (const [name, network] of Object.entries(LINEAR)) {
  test(`${name}: exact gradients, one set of bits`, () => {
    for (const seed of [1, 2]) checkExactGradients(network, [5, 4, 2], 100 * seed);
    for (const seed of [3, 4]) checkNetwork(network, [5, 4, 2], 100 * seed);
  });
}

const NONLINEAR: Record<string, Network> = {
  'ReLU fused into convolutions that are concatenated': (x) =>
    concatenate()([conv(3, 1, { activation: 'relu' })(x), conv(5, 3, { activation: 'relu' })(x)]),
  'an inception module with pooling': (x) => {
    const pooled = maxPooling2d({ poolSize: 3, strides: 1, padding: 'same' })(x);
    const relu = { activation: 'relu' };
    const parts = [conv(4, 1, relu)(x), conv(3, 3, relu)(conv(2, 1, relu)(x)), conv(2, 1, relu)(pooled)];
    return dense({ units: 3 })(globalAveragePooling2d()(concatenate()([...parts, x])));
  },
  'residual blocks with dropout and a head': (x) => {
    let y = conv(4, 3, { activation: 'relu' })(x);
    for (let i = 0; i < 2; i++) {
      const inner = conv(4)(dropout({ rate: 0 })(conv(4, 3, { activation: 'relu' })(y)));
      y = activation({ function: 'relu' })(add()([y, inner]));
    }
    return dense({ units: 3, activation: 'tanh' })(flatten()(y));
  },
  'Winograd’s convolutions that are concatenated and shared': (x) => {
    const shared = conv(4, 3, { algorithm: 'winograd2' });
    const y = conv(4, 3, { algorithm: 'winograd4' })(x);
    return concatenate()([shared(y), shared(shared(y))]);
  },
};

for (const [name, network] of Object.entries(NONLINEAR)) {
  test(`${name}: one set of bits`, () => {
    for (const seed of [1, 2, 3]) checkNetwork(network, [7, 6, 3], 100 * seed);
  });
}

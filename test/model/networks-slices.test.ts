/** Networks that take slices of channels, which lie in the memory of the whole: each held to conformance-graph.ts. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  add,
  concatenate,
  conv2d,
  dense,
  flatten,
  reshape,
  sliceChannels,
  zeroPadding2d,
} from '../../src/layers/index.ts';
import { checkExactGradients, checkNetwork, type Network } from '../helpers/conformance-graph.ts';
import { probeNetwork } from '../helpers/conformance-model.ts';

const conv = (filters: number, kernelSize = 3, options: object = {}) =>
  conv2d({ filters, kernelSize, padding: 'same', ...options });
const slice = (start: number, size?: number) =>
  sliceChannels(size === undefined ? { start } : { start, size });

/** On images [5, 4, 2], linear throughout: their gradients are exact on integers. */
const LINEAR: Record<string, Network> = {
  'halves of the channels, convolved with different halos and joined': (x) => {
    const y = conv(4)(x);
    return concatenate()([conv(2, 1)(slice(0, 2)(y)), conv(3, 5)(slice(2, 2)(y))]);
  },
  'slices that overlap, of a tensor that others read before and after': (x) => {
    const y = conv(5)(x);
    const before = conv(2, 1)(y);
    const [a, b] = [conv(2)(slice(0, 3)(y)), conv(2)(slice(1, 3)(y))];
    return add()([before, a, b, conv(2, 5)(y)]);
  },
  'channels that nobody takes': (x) => conv(2)(slice(2, 1)(conv(5)(x))),
  'a slice of a slice of a concatenation': (x) => {
    const joined = concatenate()([conv(3)(x), conv(4, 1)(x)]);
    const part = slice(1, 5)(joined);
    return add()([conv(2)(slice(1, 3)(part)), conv(2, 1)(joined)]);
  },
  'the model’s input in slices': (x) => add()([conv(3)(slice(0, 1)(x)), conv(3, 5)(slice(1)(x))]),
  'slices joined again, in order, in another one, and one twice': (x) => {
    const y = conv(6)(x);
    const [a, b, c] = [slice(0, 2)(y), slice(2, 2)(y), slice(4, 2)(y)];
    return add()([
      conv(2)(concatenate()([a, b, c])),
      conv(2)(concatenate()([c, a, b])),
      conv(2, 1)(concatenate()([b, b])),
    ]);
  },
  'a slice joined with what was made of it, as in a cross-stage block': (x) => {
    const y = conv(4)(x);
    const [kept, worked] = [slice(0, 2)(y), slice(2, 2)(y)];
    return conv(2, 1)(concatenate()([kept, conv(3)(conv(2)(worked))]));
  },
  'a slice reshaped, and a slice of what was reshaped': (x) => {
    const y = conv(4)(x);
    const turned = conv(2)(reshape({ targetShape: [4, 5, 2] })(slice(1, 2)(y)));
    return dense({ units: 3 })(concatenate()([flatten()(turned), slice(10, 7)(flatten()(y))]));
  },
  'parts of a vector': (x) => {
    const y = dense({ units: 9 })(flatten()(x));
    const [a, b] = [slice(0, 4)(y), slice(3, 4)(y)];
    return add()([dense({ units: 3 })(a), dense({ units: 3 })(b), slice(6)(y)]);
  },
  'a slice as the output': (x) => slice(1, 2)(conv(4)(zeroPadding2d()(x))),
};

for (const [name, network] of Object.entries(LINEAR)) {
  test(`${name}: exact gradients, one set of bits`, () => {
    for (const seed of [1, 2]) checkExactGradients(network, [5, 4, 2], 100 * seed);
    for (const seed of [3, 4]) checkNetwork(network, [5, 4, 2], 100 * seed);
  });
}

test('ReLU, fused before and behind slices, leaves other branches’ gradients alone', () => {
  const relu = { activation: 'relu' };
  const network: Network = (x) => {
    const y = conv(4, 3, relu)(x);
    const a = conv(2, 3, relu)(slice(0, 2)(y));
    return concatenate()([a, conv(3, 1, relu)(slice(1, 3)(y)), conv(2, 3, relu)(a)]);
  };
  for (const seed of [1, 2, 3]) checkNetwork(network, [7, 6, 3], 100 * seed);
});

/** Calls that the layers of a kind ask for, forward and backward. */
function callsOf(network: Network, type: string): number {
  const { plan } = probeNetwork(network, [5, 4, 2], { batchSize: 2, shardSize: 2 });
  const calls = plan.phases.flatMap(({ units }) => units.flatMap((unit) => unit.calls));
  return calls.filter(({ layer }) => layer?.startsWith(type)).length;
}

test('a slice copies nothing, neither forward nor backward; one of a flattened image is copied', () => {
  const parts: Network = (x) => {
    const y = conv(6)(x);
    return concatenate()([0, 2, 4].map((start) => conv(2)(slice(start, 2)(y))));
  };
  assert.equal(callsOf(parts, 'sliceChannels'), 0);
  const whole: Network = (x) => {
    const y = conv(6)(x);
    return conv(1)(concatenate()([0, 2, 4].map((start) => slice(start, 2)(y))));
  };
  assert.equal(callsOf(whole, 'sliceChannels'), 0);
  assert.equal(callsOf(whole, 'concatenate'), 0);
  const flat: Network = (x) => slice(3, 4)(flatten()(conv(2, 1)(x)));
  assert.ok(callsOf(flat, 'sliceChannels') >= 2);
});

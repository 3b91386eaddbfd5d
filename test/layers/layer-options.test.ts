import assert from 'node:assert/strict';
import test from 'node:test';
import {
  conv2d,
  dense,
  depthwiseConv2d,
  flatten,
  locallyConnected2d,
  separableConv2d,
} from '../../src/index.ts';
import { layers } from '../../src/layers/index.ts';
import { defineLayer } from '../../src/layers/layer.ts';

// biome-ignore lint/suspicious/noExplicitAny: plain JavaScript passes anything.
type Loose = (options?: any) => { readonly config: unknown };

test('every layer refuses an option that it does not have, and takes its own configuration again', () => {
  for (const [type, layer] of Object.entries(layers)) {
    const make = layer as Loose;
    for (const { options } of layer.definition.examples) {
      const given = { ...options, name: 'mine', trainable: true };
      const { config } = make(given);
      assert.deepEqual(make(config).config, config, type);
      assert.throws(() => make({ ...given, nonsense: 0 }), {
        name: 'ConfigError',
        message: new RegExp(
          `^${type} "mine": options: expected only (\\w+, )*name, trainable, got "nonsense"$`,
        ),
      });
    }
  }
});

test('the error names the layer and what it has, and guesses what was meant', () => {
  assert.throws(() => (conv2d as Loose)({ filter: 8, kernelSize: 3 }), {
    message:
      'conv2d: options: expected only filters, kernelSize, strides, dilationRate, padding, groups, flip, algorithm, ' +
      'kernelInitializer, activation, useBias, biasInitializer, kernelRegularizer, biasRegularizer, name, trainable, ' +
      'got "filter" (did you mean filters?)',
  });
  const hints: readonly (readonly [Loose, object, string])[] = [
    [conv2d, { filters: 8, kernel_size: 3 }, 'got "kernel_size" (did you mean kernelSize?)'],
    [conv2d, { filters: 8, kernelSize: 3, dilation: 2 }, 'got "dilation" (did you mean dilationRate?)'],
    [locallyConnected2d, { filters: 1, kernelSize: 2, padding: 'same' }, 'got "padding"'],
    [depthwiseConv2d, { kernelSize: 3, kernelInitializer: 'zeros' }, 'got "kernelInitializer"'],
    [separableConv2d, { filters: 1, kernelSize: 3, kernelInitializer: 'zeros' }, 'got "kernelInitializer"'],
    [flatten, { axis: 1 }, 'got "axis"'],
  ];
  for (const [make, options, end] of hints) {
    assert.throws(
      () => make(options),
      (error: Error) => error.message.includes(`: options: expected only `) && error.message.includes(end),
      end,
    );
  }
});

test('options that are no object, and names and flags of other types, are refused', () => {
  const make = dense as Loose;
  for (const options of [null, 'units', [3], 5]) {
    assert.throws(() => make(options), {
      name: 'ConfigError',
      message: /^dense: options: expected an object of units, /,
    });
  }
  assert.throws(() => make({ units: 1, name: 5 }), { message: 'dense: name: expected a text, got 5' });
  assert.throws(() => make({ units: 1, trainable: 'no' }), {
    message: 'dense: trainable: expected true or false, got "no"',
  });
});

test('layers from outside the package are checked by what they read, or pass on', () => {
  interface Scaling {
    readonly by?: number;
    readonly from?: number;
  }
  const common = {
    type: 'scaling',
    outputShape: (_config: unknown, [shape]: readonly (readonly number[])[]) => shape!,
  };
  const reading = defineLayer<Scaling, object>({
    ...common,
    // `from` is read only where there is a `by`.
    resolve: ({ by, ...rest }) => (by === undefined ? {} : { by, from: (rest as Scaling).from ?? 0 }),
    examples: [],
  }) as Loose;
  assert.deepEqual(reading({ by: 2, from: 1 }).config, { by: 2, from: 1 });
  const taking = defineLayer<Scaling, Scaling>({
    ...common,
    resolve: (options) => options,
    examples: [],
  }) as Loose;
  assert.deepEqual(taking({ by: 2 }).config, { by: 2 });
  const strict = defineLayer<Scaling, Scaling>({
    ...common,
    resolve: ({ by = 1 }) => ({ by }),
    examples: [{ options: {}, inputShape: [3] }],
  }) as Loose;
  assert.throws(() => strict({ By: 2 }), {
    message: 'scaling: options: expected only by, name, trainable, got "By" (did you mean by?)',
  });
});

import assert from 'node:assert/strict';
import test from 'node:test';
import type { KernelSpec } from '../../src/kernels/kernel.ts';
import { activation, averagePooling2d, conv2d, dense, dropout, layers } from '../../src/layers/index.ts';
import {
  type BackwardContext,
  defineLayer,
  type ForwardContext,
  type Layer,
  type LayerDefinition,
} from '../../src/layers/layer.ts';
import { checkConformance } from '../helpers/conformance.ts';
import { checkDifferences } from '../helpers/conformance-differences.ts';
import {
  checkDefinition,
  checkExamples,
  checkRefusedShapes,
  type LayerFunction,
} from '../helpers/conformance-registry.ts';

for (const [key, make] of Object.entries<LayerFunction>(layers)) {
  test(`${key}: named, with examples, each of which conforms; wrong shapes are refused by name`, () => {
    checkDefinition(key, make);
    checkExamples(make);
    checkRefusedShapes(make);
  });
}

test('a layer without examples, or under another name, does not pass', () => {
  const { definition } = layers.dense;
  const bare = defineLayer({ ...definition, examples: [] });
  assert.throws(() => checkDefinition('dense', bare), /layer dense has no examples/);
  assert.throws(() => checkDefinition('fullyConnected', layers.dense), /under its type/);
});

/** A kind of layer with something done wrong. */
function faulty(layer: Layer, change: Partial<LayerDefinition>): Layer {
  return { ...layer, definition: { ...layer.definition, ...change } as LayerDefinition };
}

/** The definition's backward pass with its kernel calls changed; undefined leaves a call out. */
function withCalls(
  { definition }: Layer,
  change: (spec: KernelSpec & Record<string, unknown>) => object | undefined,
): Partial<LayerDefinition> {
  const changed = (
    context: BackwardContext<unknown>,
    [spec, operands]: Parameters<ForwardContext<unknown>['call']>,
  ) => {
    const other = change(spec as KernelSpec & Record<string, unknown>);
    if (other !== undefined) context.call(other as KernelSpec, operands);
  };
  return {
    backward: (context) =>
      definition.backward!({
        ...context,
        call: (...call) => changed(context, call),
      } as BackwardContext<never>),
  };
}

const image = [5, 6, 4] as const;
const convolution = conv2d({ filters: 3, kernelSize: 3, padding: 'same', flip: true });
const gated = conv2d({ filters: 3, kernelSize: 2, activation: 'relu' });
const pooling = averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' });
const vector = dense({ units: 5 });

const FAULTS: Record<string, { layer: Layer; inputShape: readonly number[]; message: RegExp }> = {
  'a configuration that JSON changes': {
    layer: { ...vector, config: { ...(vector.config as object), limit: Infinity } },
    inputShape: [8],
    message: /does not survive JSON/,
  },
  'a configuration that resolve does not take back': {
    layer: faulty(vector, {
      resolve: (options: { units: number }) => ({ ...(vector.config as object), units: options.units + 1 }),
    } as Partial<LayerDefinition>),
    inputShape: [8],
    message: /is not options: resolve changes it/,
  },
  'a gradient of the weights that ignores flip': {
    layer: faulty(
      convolution,
      withCalls(convolution, (spec) =>
        spec.kind === 'conv2dWeightGradient' ? { ...spec, flip: false } : spec,
      ),
    ),
    inputShape: image,
    message: /gradient of conv2d\/weight/,
  },
  'a ReLU that the backward pass forgets': {
    layer: faulty(
      gated,
      withCalls(gated, (spec) => (spec.kind === 'activationBackward' ? undefined : spec)),
    ),
    inputShape: image,
    message: /gradInputs\[\d+\]: expected/,
  },
  'a convolution without a halo': {
    layer: faulty(convolution, { halo: () => ({}) }),
    inputShape: image,
    message: /a halo of at least 1 pixels/,
  },
  'a pooling whose gradient counts the padding': {
    layer: faulty(
      pooling,
      withCalls(pooling, (spec) => ({ ...spec, countPadding: true })),
    ),
    inputShape: image,
    message: /gradient of inputs along a direction|gradInputs\[\d+\]: expected/,
  },
  'a gradient that is added to what another unit left': {
    layer: faulty(
      pooling,
      withCalls(pooling, (spec) => ({ ...spec, accumulate: true })),
    ),
    inputShape: image,
    message: /another order of units: gradInputs|gradInputs\[\d+\]: expected|along a direction/,
  },
  'dropout whose mask depends on the shard': {
    layer: faulty(dropout({ rate: 0.5 }), {
      forward: (context) =>
        dropout({ rate: 0.5 }).definition.forward!({
          ...context,
          call: (spec, operands) =>
            context.call(
              spec,
              operands.map((operand) => (operand === 'firstSample' ? 0 : operand)),
            ),
        } as ForwardContext<never>),
    }),
    inputShape: [40],
    message: /outputs\[\d+\]: expected/,
  },
  'a dense layer without the gradient of its bias': {
    layer: faulty(vector, {
      backward: (context) =>
        vector.definition.backward!({
          ...context,
          gradParameter: (name) => (name === 'bias' ? undefined : context.gradParameter(name)),
        } as BackwardContext<never>),
    }),
    inputShape: [8],
    message: /bias/,
  },
};

for (const [fault, { layer, inputShape, message }] of Object.entries(FAULTS)) {
  test(`the harness has power: it catches ${fault}`, () => {
    const check = () => {
      for (let seed = 1; seed <= 8; seed++) checkConformance({ layer, inputShape, seed: 77 * seed });
    };
    assert.throws(check, message);
  });
}

test('central differences catch a wrong gradient without knowing the layer', () => {
  const right = activation({ function: 'tanh' });
  const wrong = faulty(
    right,
    withCalls(right, (spec) => ({ ...spec, function: 'sigmoid' })),
  );
  checkDifferences(right, [3, 2, 4], 5);
  assert.throws(
    () => checkDifferences(wrong, [3, 2, 4], 5),
    /gradient of inputs\[\d+\]: difference quotient/,
  );
});

import assert from 'node:assert/strict';
import test from 'node:test';
import {
  ConfigError,
  conv2d,
  defineLayer,
  dense,
  flatten,
  type Layer,
  maxPooling2d,
  sequential,
  weightsSha256,
} from '../../src/index.ts';
import type { ActivationForwardSpec } from '../../src/kernels/activation-forward.ts';
import type { CopyViewSpec } from '../../src/kernels/copy-view.ts';
import { CLASSES, IMAGE, smallDataset, testEngine } from '../helpers/conformance-data.ts';
import { checkDefinition, checkExamples, checkRefusedShapes } from '../helpers/conformance-registry.ts';

const data = smallDataset(24);

interface ScaleConfig {
  readonly factor: number;
}

/** y = factor * x for x < 0, else x: a user's layer out of the kernels of the package. */
const bend = defineLayer<{ readonly factor?: number }, ScaleConfig>({
  type: 'bend',
  resolve({ factor = 0.5 }, operation) {
    if (!(factor >= 0)) {
      throw new ConfigError({
        operation,
        argument: 'factor',
        expected: 'a number from 0 on',
        received: String(factor),
      });
    }
    return { factor };
  },
  outputShape: (_config, [input]) => input!,
  forward({ config, inputs: [input], output, call }) {
    const spec: ActivationForwardSpec = {
      kind: 'activationForward',
      function: 'leakyRelu',
      alpha: config.factor,
      input: input!.view,
      output: output.view,
    };
    call(spec, [input!.origin, output.origin, 'count']);
  },
  backward({ config, output, gradOutput, gradInput, call }) {
    const target = gradInput();
    if (target === undefined) return;
    const spec = {
      kind: 'activationBackward',
      function: 'leakyRelu',
      alpha: config.factor,
      saved: output.view,
      gradOutput: gradOutput.view,
      gradInput: target.view,
      accumulate: target.accumulate,
    };
    call(spec, [output.origin, gradOutput.origin, target.origin, 'count']);
  },
  examples: [
    { options: { factor: 0.25 }, inputShape: [4, 3, 5] },
    { options: {}, inputShape: [9] },
  ],
});

/** The gradient of a copy that is not the identity's: what a user may get wrong. */
const wrongBend = defineLayer({
  ...bend.definition,
  backward({ gradOutput, gradInput, call }) {
    const target = gradInput()!;
    const spec: CopyViewSpec = {
      kind: 'copyView',
      input: gradOutput.view,
      output: target.view,
      accumulate: target.accumulate,
    };
    call(spec, [gradOutput.origin, target.origin, 'count']);
  },
});

test('a layer from outside the package is held to what the package’s own are', () => {
  checkDefinition('bend', bend);
  checkExamples(bend);
  checkRefusedShapes(bend);
  assert.throws(() => checkExamples(wrongBend), /gradient of inputs\[\d+\]: difference quotient/);
  assert.throws(() => bend({ factor: -1, name: 'knee' }), {
    name: 'ConfigError',
    message: /^bend "knee": factor/,
  });
});

const layersWith = (middle: Layer): Layer[] => [
  conv2d({ filters: 4, kernelSize: 3, padding: 'same' }),
  middle,
  maxPooling2d({}),
  flatten(),
  dense({ units: CLASSES, activation: 'softmax' }),
];

test('it trains inside a model, on workers, with the same bits on every engine', async () => {
  const hashes: string[] = [];
  for (const options of [{ threads: 1 }, { threads: 2 }, { threads: 2, engine: 'scalar' }] as const) {
    const engine = testEngine(options);
    await using model = sequential({ inputShape: IMAGE, seed: 3 }, layersWith(bend({ factor: 0.3 })));
    assert.match(model.summary(), /^bend \(bend\) +\[N, 8, 8, 4\] +0 +0$/m);
    await model.fit(data, { engine, batchSize: 8 });
    hashes.push(weightsSha256(model));
  }
  assert.equal(new Set(hashes).size, 1);
});

test('it can be configured: another factor is another model', async () => {
  const engine = testEngine({ threads: 1 });
  const hashes: string[] = [];
  for (const factor of [0.3, 0.4]) {
    await using model = sequential({ inputShape: IMAGE, seed: 3 }, layersWith(bend({ factor })));
    await model.fit(data, { engine, batchSize: 8 });
    hashes.push(weightsSha256(model));
  }
  assert.notEqual(hashes[0], hashes[1]);
});

import test from 'node:test';
import fc from 'fast-check';
import type { Layer } from '../../src/layers/layer.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import { elementCount, type Shape } from '../../src/tensor/shape.ts';
import { randomNormals, SEED } from '../helpers/arbitraries.ts';
import { probedParameters, probePlan } from '../helpers/conformance-model.ts';
import { networks } from '../helpers/conformance-networks.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { loadPlan } from '../helpers/run-plan.ts';

const COUNT = 3;
const BATCH = { batchSize: 4, shardSize: 2 };
const STEP = 9;

interface Given {
  readonly seed: number;
  readonly parameters: Readonly<Record<string, Float32Array>>;
}

/** Outputs and all gradients of one layer, or of several as one model. */
function run(
  layers: Layer | readonly Layer[],
  shape: Shape,
  given: Given,
  inputs: Float32Array,
  targets: Float32Array,
) {
  const { graph, plan, outputs, gradInputs } = probePlan(layers, shape, { ...BATCH, seed: given.seed % 100 });
  const loaded = loadPlan(plan, 'scalar');
  loaded.run({ inputs, targets, parameters: given.parameters, step: STEP }, { count: COUNT });
  return {
    outputs: loaded.read(outputs, COUNT * elementCount(graph.tensors[graph.output]!)),
    gradInputs: loaded.read(gradInputs, inputs.length),
    gradients: loaded.gradients(),
  };
}

test('a network is its layers one after the other, forward and backward, bit for bit', () => {
  const property = fc.property(networks, ({ inputShape, layers, seed }) => {
    const { graph } = probePlan(layers, inputShape, BATCH);
    const drawn = probedParameters(graph).map(({ name, elements }, i) => [
      name,
      randomNormals(seed + i, elements),
    ]);
    const given: Given = { seed, parameters: Object.fromEntries(drawn) };
    const inputs = randomNormals(seed + 100, COUNT * elementCount(inputShape));
    const targets = randomNormals(seed + 101, COUNT * elementCount(graph.tensors[graph.output]!));
    const whole = run(layers, inputShape, given, inputs, targets);

    const steps: { layer: Layer; shape: Shape; inputs: Float32Array }[] = [];
    let [shape, values]: [Shape, Float32Array] = [inputShape, inputs];
    for (const layer of layers) {
      steps.push({ layer, shape, inputs: values });
      const next = sequentialGraph(shape, [layer]).tensors.at(-1)!;
      values = run(layer, shape, given, values, new Float32Array(COUNT * elementCount(next))).outputs;
      shape = next;
    }
    assertSameBits(whole.outputs, values, 'outputs');

    let gradient = targets;
    for (const { layer, shape: at, inputs: x } of steps.reverse()) {
      const alone = run(layer, at, given, x, gradient);
      for (const [name, expected] of Object.entries(alone.gradients)) {
        assertSameBits(whole.gradients[name]!, expected, `gradient of ${name}`);
      }
      gradient = alone.gradInputs;
    }
    assertSameBits(whole.gradInputs, gradient, 'gradInputs');
  });
  fc.assert(property, { numRuns: 150, seed: SEED });
});

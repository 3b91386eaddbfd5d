/**
 * What every network must hold to, whatever its branches: its gradients are those of its own forward pass, exactly;
 * SIMD equals scalar; shards, workers, the order of units and batch-mates change nothing.
 */
import assert from 'node:assert/strict';
import type { SymbolicTensor } from '../../src/layers/symbolic.ts';
import { elementCount, type Shape } from '../../src/tensor/shape.ts';
import { randomIntegers, randomNormals } from './arbitraries.ts';
import { networkInference, type ProbedPlan, probedParameters, probeNetwork } from './conformance-model.ts';
import { assertSameBits } from './exact.ts';
import { dot } from './oracle.ts';
import { type LoadedPlan, loadPlan, type StepData } from './run-plan.ts';

/** From an input to an output. */
export type Network = (input: SymbolicTensor) => SymbolicTensor;

const BATCH = { batchSize: 5, shardSize: 2, seed: 3 };
const COUNT = 5;

interface Result {
  readonly outputs: Float32Array;
  readonly gradInputs: Float32Array;
  readonly gradients: Record<string, Float32Array>;
}

function step(
  { plan: _, ...probed }: ProbedPlan,
  loaded: LoadedPlan,
  data: StepData,
  schedule?: number,
): Result {
  const { graph, outputs, gradInputs } = probed;
  loaded.run(data, { count: COUNT, schedule });
  return {
    outputs: loaded.read(outputs, COUNT * elementCount(graph.tensors[graph.output]!)),
    gradInputs: loaded.read(gradInputs, COUNT * elementCount(graph.tensors[graph.input]!)),
    gradients: loaded.gradients(),
  };
}

function assertSame(actual: Result, expected: Result, what: string): void {
  assertSameBits(actual.outputs, expected.outputs, `${what}: outputs`);
  assertSameBits(actual.gradInputs, expected.gradInputs, `${what}: gradInputs`);
  assert.deepEqual(Object.keys(actual.gradients).sort(), Object.keys(expected.gradients).sort(), what);
  for (const [name, values] of Object.entries(expected.gradients)) {
    assertSameBits(actual.gradients[name]!, values, `${what}: gradient of ${name}`);
  }
}

type Draw = (stream: number, length: number) => Float32Array;

type Data = StepData & { readonly inputs: Float32Array; readonly targets: Float32Array };

function draw({ graph }: ProbedPlan, values: Draw): Data & { parameters: Record<string, Float32Array> } {
  const parameters = probedParameters(graph).map(
    ({ name, elements }, i) => [name, values(10 + i, elements)] as const,
  );
  return {
    inputs: values(1, COUNT * elementCount(graph.tensors[graph.input]!)),
    targets: values(2, COUNT * elementCount(graph.tensors[graph.output]!)),
    parameters: Object.fromEntries(parameters),
    step: 4,
  };
}

/** Throws unless engines, orders of units, shards and batch-mates agree to the bit, in training and inference. */
export function checkNetwork(network: Network, inputShape: Shape, seed: number): void {
  const probed = probeNetwork(network, inputShape, BATCH);
  const data = draw(probed, (stream, length) => randomNormals(seed + stream, length));
  const scalar = loadPlan(probed.plan, 'scalar');
  const expected = step(probed, scalar, data);
  for (const values of [expected.outputs, expected.gradInputs, ...Object.values(expected.gradients)]) {
    assert.ok(values.every(Number.isFinite), 'a number is not finite');
  }
  assertSame(step(probed, scalar, data, seed), expected, 'another order of units');
  const simd = loadPlan(probed.plan, 'simd');
  assertSame(step(probed, simd, data), expected, 'SIMD');
  assertSame(step(probed, simd, data, seed + 1), expected, 'SIMD in another order');
  assertSame(step(probed, simd, data, seed + 2), expected, 'SIMD in a third order');
  const other = probeNetwork(network, inputShape, { ...BATCH, shardSize: 3 });
  const result = step(other, loadPlan(other.plan, 'scalar'), data);
  assertSameBits(result.outputs, expected.outputs, 'other shards: outputs');
  assertSameBits(result.gradInputs, expected.gradInputs, 'other shards: gradInputs');
  checkInference(network, inputShape, data, expected.outputs);
}

function checkInference(network: Network, inputShape: Shape, data: Data, outputs: Float32Array): void {
  const { targets: _, ...shown } = data;
  const plan = networkInference(network, inputShape, BATCH);
  const loaded = loadPlan(plan, 'simd');
  loaded.run(shown, { count: COUNT });
  assertSameBits(loaded.read(plan.output.origin.buffer, outputs.length), outputs, 'inference');
  const single = networkInference(network, inputShape, { ...BATCH, batchSize: 1, shardSize: 1 });
  const alone = loadPlan(single, 'scalar');
  const [from, to] = [elementCount(inputShape), outputs.length / COUNT];
  for (let i = 0; i < COUNT; i++) {
    const inputs = data.inputs.slice(i * from, (i + 1) * from);
    alone.run({ ...shown, inputs }, { count: 1 });
    const output = alone.read(single.output.origin.buffer, to);
    assertSameBits(output, outputs.slice(i * to, (i + 1) * to), `sample ${i} by itself`);
  }
}

/**
 * Throws unless the gradients of a network of linear layers, on integers, are its central differences with h = 1,
 * without any error: <(F(t + v) - F(t - v)) / 2, g> = <gradient of t, v> for a random direction v of each tensor t.
 * A layer may be used up to twice on a path (the network is then quadratic in its parameters).
 */
export function checkExactGradients(network: Network, inputShape: Shape, seed: number): void {
  const probed = probeNetwork(network, inputShape, BATCH);
  const loaded = loadPlan(probed.plan, 'scalar');
  const { parameters, ...data } = draw(probed, (stream, length) => randomIntegers(seed + stream, length, 2));
  const run = ({ inputs, ...rest }: Record<string, Float32Array>) =>
    step(probed, loaded, { ...data, inputs: inputs!, parameters: rest });
  const at: Record<string, Float32Array> = { inputs: data.inputs, ...parameters };
  const { gradInputs, gradients } = run(at);
  const found: Record<string, Float32Array> = { inputs: gradInputs, ...gradients };
  assert.deepEqual(Object.keys(found).sort(), Object.keys(at).sort(), 'a gradient for each parameter');
  Object.entries(at).forEach(([name, values], i) => {
    const direction = randomIntegers(seed + 50 + i, values.length, 1);
    const moved = (sign: number) => {
      const tensor = values.map((value, e) => value + sign * direction[e]!);
      return dot(run({ ...at, [name]: tensor }).outputs, data.targets);
    };
    assert.equal(
      dot(found[name]!, direction),
      (moved(1) - moved(-1)) / 2,
      `gradient of ${name} along a direction`,
    );
  });
}

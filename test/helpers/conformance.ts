/**
 * What every layer must hold to, whoever wrote it. One configuration of a layer is tried in a model of its
 * own (conformance-model.ts), on the test's thread (run-plan.ts):
 *
 *   - its configuration survives JSON, and `resolve`: the same shapes, the same program, bit for bit
 *   - output and gradients are within their bounds of the f64 oracle, where there is one
 *   - a layer that is linear has, on integers, exactly the gradients that central differences with h = 1 give
 *   - SIMD equals scalar; any order of units on any worker equals one worker in order; coming first in the
 *     model changes no parameter's gradient; NaN is nowhere
 *   - a sample's output and input gradient depend neither on shards nor on batch-mates, and inference gives
 *     what training gives (or the input itself, for layers of training alone); where training takes statistics of
 *     the batch, a sample depends on the batch, though not on shards, and inference has its own oracle
 */
import assert from 'node:assert/strict';
import type { Layer } from '../../src/layers/layer.ts';
import { elementCount, type Shape } from '../../src/tensor/shape.ts';
import { randomIntegers, randomNormals, randomValues } from './arbitraries.ts';
import { exactValues } from './conformance-bounds.ts';
import {
  inferencePlan,
  type ProbedPlan,
  type ProbeOptions,
  probedParameters,
  probePlan,
} from './conformance-model.ts';
import type { LayerProblem } from './conformance-oracle.ts';
import { oracles } from './conformance-oracles.ts';
import { assertSameBits } from './exact.ts';
import { dot } from './oracle.ts';
import { type LoadedPlan, loadPlan, type StepData } from './run-plan.ts';
import { assertWithin } from './tolerance.ts';

/** One configuration to try. */
export interface Configuration {
  readonly layer: Layer;
  readonly inputShape: Shape;
  /** For a layer of several inputs: the shapes of the others. */
  readonly otherInputShapes?: readonly Shape[];
  /** Decides the data, the batch and its shards. */
  readonly seed: number;
}

/** A configuration with everything drawn. */
interface Trial extends Configuration {
  readonly probe: ProbeOptions & { readonly seed: number };
  readonly probed: ProbedPlan;
  /** One shape an input. */
  readonly shapes: readonly Shape[];
  /** Floats of a sample, all inputs together. */
  readonly inputLength: number;
  readonly outputShape: Shape;
  /** Samples in the batch. */
  readonly count: number;
  readonly data: StepData & { readonly targets: Float32Array; readonly inputs: Float32Array };
  readonly parameters: Record<string, Float32Array>;
}

/** What a step leaves. */
interface StepResult {
  readonly outputs: Float32Array;
  readonly gradInputs: Float32Array;
  readonly gradients: Record<string, Float32Array>;
}

/** Throws unless the configuration holds to everything. Returns the largest error/bound against the oracle. */
export function checkConformance(configuration: Configuration): number {
  const trial = draw(configuration);
  const { probed, data, seed } = trial;
  checkSerialization(trial);
  const scalar = loadPlan(probed.plan, 'scalar');
  const expected = step(trial, scalar, data);
  assertFinite(expected);
  assertSameStep(step(trial, scalar, data, seed), expected, 'another order of units');
  checkCentralDifferences(trial, scalar);
  const simd = loadPlan(probed.plan, 'simd');
  assertSameStep(step(trial, simd, data), expected, 'SIMD');
  assertSameStep(step(trial, simd, data, seed + 1), expected, 'SIMD in another order of units');
  checkFirst(trial, expected);
  checkShards(trial, expected);
  return Math.max(checkOracle(trial, expected), checkInference(trial, expected));
}

/** Draws batch, shards and data: normal deviates, or magnitudes from 10^-2 to 10^2. */
function draw(configuration: Configuration): Trial {
  const { layer, inputShape, otherInputShapes = [], seed } = configuration;
  const shapes = [inputShape, ...otherInputShapes];
  const inputLength = shapes.reduce((sum, shape) => sum + elementCount(shape), 0);
  const batchSize = 1 + (seed % 5);
  const shardSize = 1 + ((seed >>> 3) % batchSize);
  const count = Math.max(1, batchSize - ((seed >>> 6) % 2));
  const probe = { batchSize, shardSize, seed: seed % 1000 };
  const probed = probePlan(layer, shapes, probe);
  const outputShape = probed.graph.tensors[probed.graph.output]!;
  const values = (stream: number, length: number) =>
    seed % 2 === 0 ? randomNormals(seed + stream, length) : randomValues(seed + stream, length, -2, 2);
  const parameters = drawParameters(probed, values);
  const data = {
    inputs: values(1, count * inputLength),
    targets: values(2, count * elementCount(outputShape)),
    parameters,
    step: seed % 7,
  };
  return { ...configuration, probe, probed, shapes, inputLength, outputShape, count, data, parameters };
}

function drawParameters(
  { graph }: ProbedPlan,
  values: (stream: number, length: number) => Float32Array,
): Record<string, Float32Array> {
  const own = probedParameters(graph);
  return Object.fromEntries(
    own.map(({ name, elements }, i) => {
      const drawn = values(3 + i, elements);
      return [name, name.endsWith('/movingVariance') ? drawn.map(Math.abs) : drawn];
    }),
  );
}

function step(trial: Trial, loaded: LoadedPlan, data: StepData, schedule?: number): StepResult {
  const { probed, count, inputLength, outputShape } = trial;
  loaded.run(data, { count, schedule });
  return {
    outputs: loaded.read(probed.outputs, count * elementCount(outputShape)),
    gradInputs: loaded.read(probed.gradInputs, count * inputLength),
    gradients: loaded.gradients(),
  };
}

function assertFinite({ outputs, gradInputs, gradients }: StepResult): void {
  for (const [name, values] of Object.entries({ outputs, gradInputs, ...gradients })) {
    assert.ok(values.every(Number.isFinite), `${name} has a number that is not finite`);
  }
}

function assertSameStep(actual: StepResult, expected: StepResult, what: string): void {
  assertSameBits(actual.outputs, expected.outputs, `${what}: outputs`);
  assertSameBits(actual.gradInputs, expected.gradInputs, `${what}: gradInputs`);
  assertSameGradients(actual, expected, what);
}

function assertSameGradients(actual: StepResult, expected: StepResult, what: string): void {
  assert.deepEqual(Object.keys(actual.gradients), Object.keys(expected.gradients), what);
  for (const [name, values] of Object.entries(expected.gradients)) {
    assertSameBits(actual.gradients[name]!, values, `${what}: gradient of ${name}`);
  }
}

/** The layer whose configuration went through JSON. */
function throughJson(layer: Layer): Layer {
  return { ...layer, config: JSON.parse(JSON.stringify(layer.config)) };
}

function checkSerialization({ layer, shapes, probe, probed }: Trial): void {
  const copy = throughJson(layer);
  assert.deepEqual(copy.config, layer.config, 'the configuration does not survive JSON');
  const resolved = layer.definition.resolve(copy.config as never, layer.type);
  assert.deepEqual(resolved, layer.config, 'the configuration is not options: resolve changes it');
  const again = probePlan(copy, shapes, probe);
  assert.deepEqual(again.graph.tensors, probed.graph.tensors);
  const [one, other] = [probed, again].map(({ plan }) => loadPlan(plan, 'scalar').placed.program);
  assert.deepEqual(other!.kernels, one!.kernels);
  assertSameBits(other!.code, one!.code, 'program');
}

/** Returns the largest error/bound. */
function checkOracle(trial: Trial, { outputs, gradInputs, gradients }: StepResult): number {
  const oracle = oracles[trial.layer.type];
  if (oracle === undefined) return 0;
  const problem = problemOf(trial);
  const forward = oracle.forward(problem);
  let worst = assertWithin(outputs, forward.values, forward.bounds, 'outputs');
  const backward = oracle.backward(problem, exactValues(trial.data.targets));
  const { gradInput } = backward;
  worst = Math.max(worst, assertWithin(gradInputs, gradInput.values, gradInput.bounds, 'gradInputs'));
  assert.deepEqual(ownNames(Object.keys(gradients)), Object.keys(backward.parameters).sort());
  for (const [name, values] of Object.entries(gradients)) {
    const { values: exact, bounds } = backward.parameters[name.split('/')[1]!]!;
    worst = Math.max(worst, assertWithin(values, exact, bounds, `gradient of ${name}`));
  }
  return worst;
}

function ownNames(names: readonly string[]): string[] {
  return names.map((name) => name.split('/')[1]!).sort();
}

function problemOf(trial: Trial): LayerProblem {
  const { layer, shapes, outputShape, count, data, parameters, probe } = trial;
  const own = Object.entries(parameters).map(([name, values]) => [name.split('/')[1]!, values] as const);
  const { name } = trial.probed.graph.nodes.find((node) => node.layer.definition === layer.definition)!;
  const address = { name, seed: probe.seed, step: data.step ?? 0 };
  return {
    config: layer.config,
    inputShape: shapes[0]!,
    inputShapes: shapes,
    outputShape,
    count,
    input: data.inputs,
    parameters: Object.fromEntries(own),
    ...address,
  };
}

/**
 * For a layer linear in a tensor t: <(F(t + v) - F(t - v)) / 2, g> = <gradient of t, v>, on integers without
 * any error, for a random direction v and each tensor t.
 */
function checkCentralDifferences(trial: Trial, loaded: LoadedPlan): void {
  const { layer, seed, count, inputLength, data, parameters } = trial;
  const unit = oracles[layer.type]?.exactUnit?.(problemOf(trial));
  if (unit === undefined) return;
  const integers = (stream: number, length: number, most: number) =>
    randomIntegers(seed + stream, length, most).map((value) => value * unit);
  const targets = integers(11, data.targets.length, 3);
  const at = {
    inputs: integers(12, count * inputLength, 4),
    ...Object.fromEntries(
      Object.entries(parameters).map(([name, { length }], i) => [name, integers(13 + i, length, 3)]),
    ),
  };
  const run = (tensors: Record<string, Float32Array>) => {
    const { inputs, ...rest } = tensors;
    return step(trial, loaded, { ...data, inputs: inputs!, targets, parameters: rest });
  };
  const { gradInputs, gradients } = run(at);
  const found: Record<string, Float32Array> = { inputs: gradInputs, ...gradients };
  assert.deepEqual(Object.keys(found).sort(), Object.keys(at).sort(), 'a gradient for each parameter');
  for (const [name, values] of Object.entries<Float32Array>(at)) {
    const direction = integers(21, values.length, 2);
    const moved = (sign: number) => {
      const tensor = values.map((value, i) => value + sign * direction[i]!);
      return dot(run({ ...at, [name]: tensor }).outputs, targets);
    };
    const difference = (moved(1) - moved(-1)) / 2;
    assert.equal(dot(found[name]!, direction), difference, `gradient of ${name} along a direction`);
  }
}

/** As the first layer nobody needs its input's gradient, and the parameters' must not suffer from that. */
function checkFirst(trial: Trial, expected: StepResult): void {
  const { layer, shapes, probe, data } = trial;
  const probed = probePlan(layer, shapes, { ...probe, first: true });
  const loaded = loadPlan(probed.plan, 'scalar');
  const result = step({ ...trial, probed: { ...probed, gradInputs: probed.outputs } }, loaded, data);
  assertSameBits(result.outputs, expected.outputs, 'as the first layer: outputs');
  assertSameGradients(result, expected, 'as the first layer');
}

function checkShards(trial: Trial, expected: StepResult): void {
  const { layer, shapes, probe, data } = trial;
  const shardSize = 1 + (probe.shardSize % probe.batchSize);
  const probed = probePlan(layer, shapes, { ...probe, shardSize });
  const result = step({ ...trial, probed }, loadPlan(probed.plan, 'scalar'), data);
  assertSameBits(result.outputs, expected.outputs, 'other shards: outputs');
  assertSameBits(result.gradInputs, expected.gradInputs, 'other shards: gradInputs');
}

/** Inference on all samples, and on each by itself. Returns the largest error/bound of its own oracle. */
function checkInference(trial: Trial, expected: StepResult): number {
  const { layer, shapes, inputLength, outputShape, probe, data, count } = trial;
  const [from, to] = [inputLength, elementCount(outputShape)];
  const { targets: _, ...shown } = data;
  const plan = inferencePlan(layer, shapes, probe);
  const loaded = loadPlan(plan, 'simd');
  loaded.run(shown, { count });
  const inferred = loaded.read(plan.output.origin.buffer, count * to);
  const { trainingOnly, batchStatistics } = layer.definition;
  const outputs = trainingOnly ? data.inputs : batchStatistics ? inferred : expected.outputs;
  assertSameBits(inferred, outputs, 'inference');
  const inference = oracles[layer.type]?.inference?.(problemOf(trial));
  assert.equal(
    inference !== undefined,
    batchStatistics === true,
    'an oracle of inference where it is different',
  );
  const worst =
    inference === undefined ? 0 : assertWithin(inferred, inference.values, inference.bounds, 'inference');
  const single = inferencePlan(layer, shapes, { ...probe, batchSize: 1, shardSize: 1 });
  const alone = loadPlan(single, 'scalar');
  for (let i = 0; i < count; i++) {
    alone.run({ ...shown, inputs: data.inputs.slice(i * from, (i + 1) * from) }, { count: 1 });
    const output = alone.read(single.output.origin.buffer, to);
    assertSameBits(output, outputs.slice(i * to, (i + 1) * to), `sample ${i} by itself`);
  }
  return worst;
}

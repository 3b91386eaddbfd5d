/**
 * Gradients of any layer against central differences of its own forward pass, in f32: a coarse check that
 * needs no oracle, so it holds new layers and users' layers to something.
 *
 * Inputs are different odd multiples of h*2 within +-1, so that a step of h meets neither a tie between two of
 * them nor zero. For each output o, with F+, F0, F- around the point, the difference quotient is off by at most
 *
 *   (h^2/3) K + |F+ - 2 F0 + F-| / 2h + 8u M / h
 *
 * that is truncation, with third derivatives up to 2K (K = 4 covers every activation, and weights of up to
 * 1.2); a kink within the step (of a fused ReLU, say); rounding, taken as 8 units of the largest output M.
 */
import assert from 'node:assert/strict';
import type { Layer } from '../../src/layers/layer.ts';
import { elementCount, type Shape } from '../../src/tensor/shape.ts';
import { randomIntegers, uniforms } from './arbitraries.ts';
import { probedParameters, probePlan } from './conformance-model.ts';
import { loadPlan } from './run-plan.ts';
import { UNIT_ROUNDOFF } from './tolerance.ts';

const THIRD_DERIVATIVE = 4;
const ROUNDINGS = 8;
/** Samples; two, so that a gradient that forgets to sum over them shows. */
const COUNT = 2;

/** Throws unless the gradients of input and parameters are the quotients of the layer's forward pass. */
export function checkDifferences(
  layer: Layer,
  inputShape: Shape,
  seed: number,
  otherInputShapes: readonly Shape[] = [],
): void {
  const shapes = [inputShape, ...otherInputShapes];
  const inputLength = shapes.reduce((sum, shape) => sum + elementCount(shape), 0);
  const { graph, plan, outputs, gradInputs } = probePlan(layer, shapes, { batchSize: 2, shardSize: 1 });
  const loaded = loadPlan(plan, 'scalar');
  const outputLength = COUNT * elementCount(graph.tensors[graph.output]!);
  const targets = randomIntegers(seed, outputLength, 2);
  const { values: inputs, h } = spacedValues(seed, COUNT * inputLength);
  const next = uniforms(seed + 1);
  const tensors: Record<string, Float32Array> = { inputs };
  for (const { name, elements } of probedParameters(graph)) {
    tensors[name] = Float32Array.from({ length: elements }, () => 1.2 * (2 * next() - 1));
  }
  const run = (): Float32Array => {
    const { inputs: shown, ...parameters } = tensors;
    loaded.run({ inputs: shown!, targets, parameters }, { count: COUNT });
    return loaded.read(outputs, outputLength);
  };
  const middle = run();
  const gradients = loaded.gradients();
  const found = { inputs: loaded.read(gradInputs, inputs.length), ...gradients };
  assert.deepEqual(Object.keys(gradients).sort(), Object.keys(tensors).filter(isParameter).sort());
  for (const [name, values] of Object.entries(found)) {
    const tensor = tensors[name]!;
    for (let i = 0; i < tensor.length; i++) {
      const value = tensor[i]!;
      const step = Math.fround(value + h) - value;
      tensor[i] = value + step;
      const above = run();
      tensor[i] = value - step;
      const below = run();
      tensor[i] = value;
      const { difference, bound } = quotient(above, middle, below, targets, step);
      const error = Math.abs(values[i]! - difference);
      assert.ok(
        error <= bound,
        `gradient of ${name}[${i}]: difference quotient ${difference} within ${bound}, got ${values[i]}`,
      );
    }
  }
}

const isParameter = (name: string): boolean => name !== 'inputs';

/** Different values within +-1, none nearer to another or to 0 than 2h, in random order. */
function spacedValues(seed: number, length: number): { values: Float32Array; h: number } {
  const spacing = 2 ** -Math.ceil(Math.log2(Math.max(2, length / 2 + 1)));
  const next = uniforms(seed + 2);
  const order = Array.from({ length }, (_, i) => ({ place: i - Math.floor(length / 2), key: next() }));
  const values = order.sort((a, b) => a.key - b.key).map(({ place }) => (place + 0.5) * spacing);
  return { values: Float32Array.from(values), h: spacing / 4 };
}

function quotient(
  above: Float32Array,
  middle: Float32Array,
  below: Float32Array,
  targets: Float32Array,
  h: number,
): { difference: number; bound: number } {
  let [difference, bound] = [0, 0];
  const largest = middle.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const rounding = (ROUNDINGS * UNIT_ROUNDOFF * largest) / h;
  targets.forEach((g, o) => {
    const [plus, zero, minus] = [above[o]!, middle[o]!, below[o]!];
    if (plus === zero && zero === minus) return;
    difference += (g * (plus - minus)) / (2 * h);
    const kink = Math.abs(plus - 2 * zero + minus) / (2 * h);
    bound += Math.abs(g) * ((h * h * THIRD_DERIVATIVE) / 3 + kink + rounding);
  });
  return { difference, bound };
}

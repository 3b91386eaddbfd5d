/** What a kind of layer owes its readers and users: a name, examples that work, errors that say where. */
import assert from 'node:assert/strict';
import { ConfigError, ShapeError } from '../../src/errors.ts';
import type { Layer, LayerDefinition } from '../../src/layers/layer.ts';
import { applyLayer, input } from '../../src/layers/symbolic.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import type { Shape } from '../../src/tensor/shape.ts';
import { checkConformance } from './conformance.ts';
import { checkDifferences } from './conformance-differences.ts';

/** A layer function of any options. */
export interface LayerFunction {
  // biome-ignore lint/suspicious/noExplicitAny: the options of all layers.
  (options: any): Layer;
  // biome-ignore lint/suspicious/noExplicitAny: the options and configurations of all layers.
  readonly definition: LayerDefinition<any, any>;
}

/** Draws of data an example is tried on. */
const SEEDS = [1, 26, 1_000_003];

/** Throws unless the layer is what the registry, files and documentation need. */
export function checkDefinition(key: string, make: LayerFunction): void {
  const { type, examples } = make.definition;
  assert.equal(type, key, 'the registry lists a layer under its type');
  assert.match(type, /^[a-z][A-Za-z0-9]*$/, 'a type is the stem of automatic names');
  assert.ok(examples.length > 0, `layer ${type} has no examples: nothing shows or tries it`);
}

/** Throws unless every example conforms. */
export function checkExamples(make: LayerFunction): void {
  for (const { options, inputShape, otherInputShapes = [] } of make.definition.examples) {
    const layer = make(options);
    for (const seed of SEEDS) checkConformance({ layer, inputShape, otherInputShapes, seed });
    // Where a channel's values lie close together, statistics bend more than these differences allow for: there the
    // oracle stands in, itself held to differences in f64.
    if (!layer.definition.batchStatistics) checkDifferences(layer, inputShape, SEEDS[0]!, otherInputShapes);
  }
}

/**
 * Throws unless an input of a rank that no example has is refused, naming the layer; with several inputs, unless
 * an image beside a vector is.
 */
export function checkRefusedShapes(make: LayerFunction): void {
  const { type, examples, severalInputs } = make.definition;
  assert.equal(make(examples[0]!.options).name, undefined, `${type} takes its name from the model`);
  if (severalInputs) {
    assertRefusedInputs(make({ ...examples[0]!.options, name: 'mine' }), [[4, 5, 6], [7]]);
    return;
  }
  const ranks = new Set(examples.map(({ inputShape }) => inputShape.length));
  for (const shape of [[7], [4, 5, 6]]) {
    if (!ranks.has(shape.length)) assertRefusedShape(make({ ...examples[0]!.options, name: 'mine' }), shape);
  }
}

/** Throws unless inputs of these shapes are refused by a ShapeError that names the layer. */
function assertRefusedInputs(layer: Layer, shapes: readonly Shape[]): void {
  const operation = `${layer.type} "${layer.name}"`;
  assert.throws(
    () =>
      applyLayer(
        layer,
        shapes.map((shape) => input({ shape })),
      ),
    (error) => error instanceof ShapeError && error.details.operation === operation,
    `${operation} on ${JSON.stringify(shapes)}`,
  );
}

/** Throws unless the shape is refused by a ShapeError that names the layer. */
export function assertRefusedShape(layer: Layer, inputShape: Shape): void {
  const operation = `${layer.type} "${layer.name ?? layer.type}"`;
  assert.throws(
    () => sequentialGraph(inputShape, [layer]),
    (error) => error instanceof ShapeError && error.details.operation === operation,
    `${operation} on [${inputShape}]`,
  );
}

/** Throws unless the options are refused when the layer is made, by a ConfigError that names it and the option. */
export function assertRefusedOptions(make: LayerFunction, options: object, argument: string): void {
  const operation = `${make.definition.type} "mine"`;
  assert.throws(
    () => make({ ...options, name: 'mine' }),
    (error) =>
      error instanceof ConfigError &&
      error.details.operation === operation &&
      error.details.argument === argument,
    `${operation} ${JSON.stringify(options)}`,
  );
}

/** Models of other models' layers: a copy, and the same body with a new last layer for other classes. */
import { ConfigError } from '../errors.ts';
import { type DenseOptions, dense } from '../layers/dense.ts';
import { applyLayer, type SymbolicTensor } from '../layers/symbolic.ts';
import type { GraphNode } from '../model/graph.ts';
import type { Model } from './model.ts';
import { functional, type ModelOptions } from './models.ts';

/**
 * A model of the same layers, names and outputs, with the parameters that `model` has now, frozen where its are; from
 * then on each has its own. Seed and numerics are the model's unless they are given. Throws StateError while a step of
 * `model` is running.
 */
export function copyModel(model: Model, options: ModelOptions = {}): Model {
  const { outputs, outputNames } = model.graph;
  const tensors = outputs.map((index) => tensorAt(model, index));
  const named = Object.fromEntries(outputNames.map((name, i) => [name, tensors[i]!]));
  const copy = functional({ ...optionsOf(model, options), inputs: model.inputs, outputs: named });
  copy.trainedOn = model.trainedOn;
  return copy;
}

/** What `replaceHead` makes. */
export interface ReplaceHeadOptions extends ModelOptions {
  /** Units of the new last dense layer. */
  readonly classes: number;
}

/**
 * A model for other classes (transfer learning): the layers of `model` with the parameters that it has now, and in the
 * place of its last dense layer a fresh one of the same name and options with `classes` units. Layers without
 * parameters behind it, such as a softmax, are kept; outputs other than the first are left out, and so are layers that
 * only they need. Names of classes are forgotten, normalisation and resizing are kept.
 *
 *     const model = replaceHead(await load('model.safetensors'), { classes: 2, seed: 21 });
 *     model.freeze('conv2d');
 *
 * Throws ConfigError where the last layer with parameters is no dense one.
 */
export function replaceHead(model: Model, options: ReplaceHeadOptions): Model {
  const { classes } = options;
  const { graph } = model;
  const { head, behind } = lastDense(model);
  const config = head.layer.config as DenseOptions;
  const { type, config: resolved, definition } = dense({ ...config, units: classes });
  const fresh = { type, config: resolved, definition, name: head.layerName, nested: true };
  let tensor = applyLayer(fresh, tensorAt(model, head.inputs[0]!));
  for (const { layer, layerName } of behind) {
    tensor = applyLayer({ ...layer, name: layerName, nested: true }, tensor);
  }
  const outputs = { [graph.outputNames[0]!]: tensor };
  const made = functional({ ...optionsOf(model, options), inputs: model.inputs, outputs });
  const { classNames: _, ...kept } = model.trainedOn ?? {};
  made.trainedOn = Object.keys(kept).length > 0 ? kept : undefined;
  return made;
}

function optionsOf({ seed, numerics }: Model, given: ModelOptions): ModelOptions {
  const { memoryLimit } = given;
  return {
    seed: given.seed ?? seed,
    numerics: given.numerics ?? numerics,
    ...(memoryLimit !== undefined && { memoryLimit }),
  };
}

/** A tensor of the graph that layers of the user's pass on, as a symbolic one. */
function tensorAt(model: Model, index: number): SymbolicTensor {
  const { graph } = model;
  const from = graph.nodes.find(({ output }) => output === index);
  return from === undefined
    ? model.inputs[graph.inputs.indexOf(index)]!
    : model.tensor(`${from.owner}:${from.call}`);
}

/** The layer whose outputs are the classes, and what comes behind it. */
function lastDense({ graph }: Model): { readonly head: GraphNode; readonly behind: readonly GraphNode[] } {
  const behind: GraphNode[] = [];
  let index = graph.output;
  for (;;) {
    const node = graph.nodes.find(({ output }) => output === index);
    if (node?.layer.type === 'dense') {
      return { head: node, behind: behind.filter(({ owner }) => owner !== node.owner) };
    }
    if (node === undefined || node.parameters.length > 0 || node.inputs.length > 1) {
      throw new ConfigError({
        operation: 'replaceHead',
        argument: 'model',
        expected: 'a dense layer as the last one with parameters',
        received: node === undefined ? 'none' : `${node.layer.type} "${node.owner}"`,
      });
    }
    // What a layer adds of itself, its activation, comes with it again.
    if (node.layerName === node.owner) behind.unshift(node);
    index = node.inputs[0]!;
  }
}

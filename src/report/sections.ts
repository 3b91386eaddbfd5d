/** The part of a model that follows a layer, as a model of its own. Weights are copied. */
import { ConfigError } from '../errors.ts';
import type { Layer } from '../layers/layer.ts';
import { applyLayer, input, type SymbolicTensor } from '../layers/symbolic.ts';
import type { GraphNode } from '../model/graph.ts';
import type { Model } from '../training/model.ts';
import { functional } from '../training/models.ts';

/** The names of the convolutions, in order. */
export function convolutionNames({ graph }: Model): string[] {
  return graph.nodes.filter(({ layer }) => layer.type === 'conv2d').map(({ name }) => name);
}

/**
 * The layer whose feature maps show where a model looks: the last convolution, or where the data also flow past that one,
 * the last layer with feature maps [H, W, C] through which all of them flow (where the last branches have met). The
 * empty string where there is none.
 */
export function lastMaps({ graph: { nodes } }: Model): string {
  const passes = (at: number) => {
    const before = new Set(nodes.slice(0, at).map(({ output }) => output));
    const following = nodes.slice(at + 1);
    return following.every(({ inputs }) => !inputs.some((index) => before.has(index)));
  };
  const isOwnersLast = (at: number) => nodes.findLastIndex(({ owner }) => owner === nodes[at]!.owner) === at;
  const places = nodes
    .map((_, at) => at)
    .filter((at) => nodes[at]!.outputShape.length === 3 && isOwnersLast(at));
  const convolution = nodes.findLast(({ layer }) => layer.type === 'conv2d')?.owner;
  const last = places.find((at) => nodes[at]!.owner === convolution);
  const found = last !== undefined && passes(last) ? last : places.findLast(passes);
  return found === undefined ? '' : nodes[found]!.owner;
}

/**
 * A model of `first` and of what follows a layer, as it is when it predicts: what acts in training only (dropout, noise)
 * is left out, normalisations use their moving averages, and only `first` is trained. Throws ConfigError for an unknown
 * layer, and for one that the data also flow past (inside of a residual block, say).
 */
export function tailOf(operation: string, model: Model, name: string, first: Layer): Model {
  const { nodes } = model.graph;
  const last = lastNodeOf(operation, model, name);
  const shape = nodes[last]!.outputShape;
  const start = input({ shape });
  const tensors = new Map<number, SymbolicTensor>([[nodes[last]!.output, applyLayer(first, start)]]);
  const layers = new Map<string, Layer>();
  const following = nodes.slice(last + 1);
  for (const node of following) {
    const inputs = node.inputs.map((index) => tensors.get(index));
    if (!inputs.every((tensor) => tensor !== undefined)) throw passedBy(operation, name, node);
    tensors.set(node.output, applied(model, node, inputs, layers));
  }
  return functional({ inputs: start, outputs: tensors.get(model.graph.output)!, numerics: model.numerics });
}

/** A node's output in the new model. */
function applied(
  model: Model,
  node: GraphNode,
  inputs: readonly SymbolicTensor[],
  layers: Map<string, Layer>,
): SymbolicTensor {
  // A layer's own activation has come with the layer.
  if (node.layerName !== node.owner || node.layer.definition.trainingOnly) return inputs[0]!;
  const known = layers.get(node.layerName);
  // Where its parameters came from once (a model that may be closed by now) is no matter: here they are this model's.
  const source = { name: node.layerName, model };
  const layer = known ?? { ...node.layer, name: node.layerName, trainable: false, source };
  layers.set(node.layerName, layer);
  return applyLayer(layer, inputs);
}

/** The last node of a layer: its own activation, where it has one. */
function lastNodeOf(operation: string, model: Model, name: string): number {
  const { nodes } = model.graph;
  const at = nodes.findLastIndex(({ owner }) => owner === name);
  if (at >= 0) return at;
  throw new ConfigError({
    operation,
    argument: 'layer',
    expected: `one of ${[...new Set(nodes.map(({ owner }) => owner))].join(', ')}`,
    received: JSON.stringify(name),
  });
}

function passedBy(operation: string, name: string, node: GraphNode): ConfigError {
  return new ConfigError({
    operation,
    argument: 'layer',
    expected: 'a layer through which all data flow',
    received: `${JSON.stringify(name)}, which ${JSON.stringify(node.name)} does not depend on alone`,
    hint: 'take a layer after the branches have met',
  });
}

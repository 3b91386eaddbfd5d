/**
 * A model's graph: nodes in the order of the forward pass, connected by tensors (numbered; a shape each,
 * without the batch). Names of layers are unique and stable: a layer's own, or type, type_1, type_2, ...
 */
import { ConfigError, ShapeError } from '../errors.ts';
import type { Layer, ParameterSpec } from '../layers/layer.ts';
import { checkShape, elementCount, type Shape } from '../tensor/shape.ts';

/** One layer in its place. */
export interface GraphNode {
  readonly name: string;
  /** The layer that the user wrote; differs from `name` where an activation follows of itself. */
  readonly owner: string;
  readonly layer: Layer;
  /** Tensors read. */
  readonly inputs: readonly number[];
  /** Tensor written. */
  readonly output: number;
  readonly inputShapes: readonly Shape[];
  readonly outputShape: Shape;
  readonly parameters: readonly ParameterSpec[];
}

/** A whole model, before anything is placed in memory. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  /** Shape of every tensor. */
  readonly tensors: readonly Shape[];
  readonly input: number;
  readonly output: number;
}

/** Name of a parameter in files and messages: layer/parameter. */
export function parameterName(node: GraphNode, parameter: ParameterSpec): string {
  return `${node.name}/${parameter.name}`;
}

/** All parameters in order: name, spec, elements. */
export function graphParameters(graph: Graph) {
  return graph.nodes.flatMap((node) =>
    node.parameters.map((spec) => ({
      name: parameterName(node, spec),
      layer: node.owner,
      spec,
      elements: elementCount(spec.shape),
    })),
  );
}

/** Layers one after the other. Throws ConfigError, or ShapeError where a layer does not fit its input. */
export function sequentialGraph(inputShape: Shape, layers: readonly Layer[]): Graph {
  checkShape('sequential', 'inputShape', inputShape);
  if (inputShape.length !== 1 && inputShape.length !== 3) {
    throw new ShapeError({
      operation: 'sequential',
      argument: 'inputShape',
      expected: '[H, W, C] or [F]',
      received: JSON.stringify(inputShape),
    });
  }
  if (!Array.isArray(layers) || layers.length === 0) {
    throw new ConfigError({
      operation: 'sequential',
      argument: 'layers',
      expected: 'at least one layer',
      received: Array.isArray(layers) ? 'none' : typeof layers,
    });
  }
  const tensors: Shape[] = [inputShape];
  const nodes: GraphNode[] = [];
  const names = new Set<string>();
  const append = (layer: Layer, name: string, owner: string) => {
    const input = tensors.length - 1;
    nodes.push(createNode(layer, name, owner, [input], [tensors[input]!], input + 1));
    tensors.push(nodes.at(-1)!.outputShape);
  };
  for (const layer of layers) {
    checkLayer(layer);
    const name = uniqueName(layer, names);
    append(layer, name, name);
    const following = layer.definition.following?.(layer.config);
    if (following !== undefined) append(following, `${name}/activation`, name);
  }
  return { nodes, tensors, input: 0, output: tensors.length - 1 };
}

/** A node with its shapes computed; errors name the layer. */
function createNode(
  layer: Layer,
  name: string,
  owner: string,
  inputs: readonly number[],
  inputShapes: readonly Shape[],
  output: number,
): GraphNode {
  const { definition, config } = layer;
  const outputShape = definition.outputShape(config, inputShapes, `${layer.type} "${name}"`);
  const parameters = definition.parameters?.(config, inputShapes) ?? [];
  return { name, owner, layer, inputs, output, inputShapes, outputShape, parameters };
}

function checkLayer(layer: unknown): void {
  const found = layer as Partial<Layer> | null;
  if (typeof found === 'object' && found !== null && typeof found.definition === 'object') return;
  throw new ConfigError({
    operation: 'sequential',
    argument: 'layers',
    expected: 'layers, e.g. dense({ units: 10 })',
    received: typeof layer === 'function' ? `the function ${layer.name || 'itself'}` : String(layer),
    hint: 'call the layer function with its options',
  });
}

function uniqueName(layer: Layer, names: Set<string>): string {
  let name = layer.name;
  if (name === undefined) {
    name = layer.type;
    for (let i = 1; names.has(name); i++) name = `${layer.type}_${i}`;
  } else if (names.has(name) || !/^[A-Za-z0-9_.-]+$/.test(name)) {
    throw new ConfigError({
      operation: layer.type,
      argument: 'name',
      expected: 'a name of letters, digits, _ . - that no other layer has',
      received: JSON.stringify(name),
    });
  }
  names.add(name);
  return name;
}

/**
 * A model's graph: nodes in the order of the forward pass, connected by tensors (numbered; a shape each,
 * without the batch). Names of layers are unique and stable: a layer's own, or type, type_1, type_2, ...
 */
import { ConfigError, formatValue, ShapeError } from '../errors.ts';
import type { Layer, ParameterSpec } from '../layers/layer.ts';
import { withRegularizers } from '../layers/regularizers.ts';
import { checkInputCount } from '../layers/symbolic.ts';
import {
  checkInputShape,
  checkShape,
  elementCount,
  formatShape,
  type Shape,
  sameShape,
} from '../tensor/shape.ts';

/** One layer in its place. */
export interface GraphNode {
  /** The layer's name; for the further calls of a shared layer name:1, name:2, ... */
  readonly name: string;
  /** The layer's name, under which it has its parameters. */
  readonly layerName: string;
  /** How often the layer was called before: its parameters are those of call 0. */
  readonly call: number;
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
  /** Whether training changes the parameters. */
  readonly trainable: boolean;
}

/** A whole model, before anything is placed in memory. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  /** Shape of every tensor. */
  readonly tensors: readonly Shape[];
  /** Tensors that come from outside, and their names. */
  readonly inputs: readonly number[];
  readonly inputNames: readonly string[];
  /** Tensors that the model returns, and their names. */
  readonly outputs: readonly number[];
  readonly outputNames: readonly string[];
  /** The first input and the first output. */
  readonly input: number;
  readonly output: number;
}

/** Name of a parameter in files and messages: layer/parameter. */
export function parameterName(node: GraphNode, parameter: ParameterSpec): string {
  return `${node.layerName}/${parameter.name}`;
}

/** All parameters in order, those of a shared layer once: name, spec, elements. */
export function graphParameters(graph: Graph) {
  // Of a part of a graph the first call there may be a later one of the whole.
  const found = new Set<string>();
  const firstCalls = graph.nodes.filter(({ layerName }) => !found.has(layerName) && found.add(layerName));
  return firstCalls.flatMap((node) =>
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
  checkInputShape('sequential', 'inputShape', inputShape);
  if (!Array.isArray(layers) || layers.length === 0) {
    throw new ConfigError({
      operation: 'sequential',
      argument: 'layers',
      expected: 'at least one layer',
      received: Array.isArray(layers) ? 'none' : formatValue(layers),
    });
  }
  const growing = startGraph();
  const first = growing.addInput(inputShape);
  let last = first;
  for (const layer of layers) {
    checkLayer(layer);
    last = growing.addLayer(layer, growing.nameOf(layer), 0, [last]);
  }
  return growing.finish([first], ['input'], [last], ['output']);
}

/** A graph in the making: tensors and nodes in the order of the forward pass. */
export interface GrowingGraph {
  addInput(shape: Shape): number;
  /** The name of a layer that is new to the graph. Throws ConfigError for one that is taken or makes no name. */
  nameOf(layer: Layer): string;
  /** Adds a call of a layer, and what follows of itself; returns its output. Throws ShapeError. */
  addLayer(layer: Layer, name: string, call: number, inputs: readonly number[]): number;
  finish(
    inputs: readonly number[],
    inputNames: readonly string[],
    outputs: readonly number[],
    outputNames: readonly string[],
  ): Graph;
}

/** A graph without anything in it. */
export function startGraph(): GrowingGraph {
  const tensors: Shape[] = [];
  const nodes: GraphNode[] = [];
  const names = new Set<string>();
  const append = (layer: Layer, at: Pick<GraphNode, 'layerName' | 'call' | 'owner' | 'inputs'>) => {
    const shapes = at.inputs.map((index) => tensors[index]!);
    const node = createNode(layer, at, shapes, tensors.length);
    if (at.call > 0) checkShared(node, nodes.find(({ name }) => name === at.layerName)!);
    nodes.push(node);
    return tensors.push(node.outputShape) - 1;
  };
  return {
    addInput: (shape) => tensors.push(shape) - 1,
    nameOf: (layer) => uniqueName(layer, names),
    addLayer(layer, name, call, inputs) {
      checkInputCount(layer, inputs.length, `${layer.type} "${name}"`);
      const output = append(layer, { layerName: name, call, owner: name, inputs });
      const following = layer.definition.following?.(layer.config);
      if (following === undefined) return output;
      return append(following, { layerName: `${name}/activation`, call, owner: name, inputs: [output] });
    },
    finish(inputs, inputNames, outputs, outputNames) {
      const [input, output] = [inputs[0]!, outputs[0]!];
      return { nodes, tensors, inputs, inputNames, outputs, outputNames, input, output };
    },
  };
}

/** A node with its shapes computed; errors name the layer. */
function createNode(
  layer: Layer,
  { layerName, call, owner, inputs }: Pick<GraphNode, 'layerName' | 'call' | 'owner' | 'inputs'>,
  inputShapes: readonly Shape[],
  output: number,
): GraphNode {
  const { definition, config } = layer;
  const operation = `${layer.type} "${layerName}"`;
  const outputShape = definition.outputShape(config, inputShapes, operation);
  checkShape(operation, 'output shape', outputShape);
  const parameters = withRegularizers(definition.parameters?.(config, inputShapes) ?? [], config);
  for (const parameter of parameters) checkShape(operation, parameter.name, parameter.shape);
  const name = call === 0 ? layerName : `${layerName}:${call}`;
  const { type, source, trainable = true } = layer;
  const plain = { type, name: layer.name, config, definition, ...(source && { source }) };
  return {
    name,
    layerName,
    call,
    owner,
    layer: plain,
    trainable,
    inputs,
    output,
    inputShapes,
    outputShape,
    parameters,
  };
}

/** Throws ShapeError unless a further call of a layer has the parameters of the first. */
function checkShared(node: GraphNode, first: GraphNode): void {
  const shapes = ({ parameters }: GraphNode) => parameters.map(({ shape }) => shape);
  if (shapes(node).every((shape, i) => sameShape(shape, shapes(first)[i]!))) return;
  const listed = (list: readonly Shape[]) => list.map(formatShape).join(', ');
  throw new ShapeError({
    operation: `${node.layer.type} "${node.layerName}"`,
    argument: `call ${node.call + 1}, input ${listed(node.inputShapes)}`,
    expected: `an input that takes the parameters ${listed(shapes(first))} of the call on ${listed(first.inputShapes)}`,
    received: `one that takes ${listed(shapes(node))}`,
    hint: 'a layer called twice is shared: make two layers for two sets of parameters',
  });
}

function checkLayer(layer: unknown): void {
  const found = layer as Partial<Layer> | null;
  const isObject = (typeof found === 'object' && found !== null) || typeof found === 'function';
  if (isObject && typeof found.type === 'string' && typeof found.definition === 'object') return;
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
  } else if (names.has(name) || !(layer.source || layer.nested ? /^[\w./-]+$/ : /^[\w.-]+$/).test(name)) {
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

/** Parts of a graph: what leads to chosen layers, layers that training leaves alone, and a graph as tensors again. */
import { ConfigError } from '../errors.ts';
import type { Layer, LayerSource } from '../layers/layer.ts';
import { applyLayer, checkTensor, input, type SymbolicTensor } from '../layers/symbolic.ts';
import { sameShape } from '../tensor/shape.ts';
import { type InputTensors, isRecord } from './functional.ts';
import type { Graph, GraphNode } from './graph.ts';

/** The tensor that a layer returns, its activation applied; 'name:1' is the second call of a shared layer. */
export function layerOutput(graph: Graph, name: string, operation: string): number {
  const [layerName, call = '0'] = name.split(':') as [string, string?];
  const last = graph.nodes.findLast((node) => node.owner === layerName && node.call === Number(call));
  if (last !== undefined) return last.output;
  const known = [...new Set(graph.nodes.map(({ owner }) => owner))];
  throw new ConfigError({
    operation,
    argument: 'name',
    expected: `one of ${known.join(', ')}`,
    received: JSON.stringify(name),
  });
}

/** The graph up to the outputs of layers: nothing else is computed. Throws ConfigError for unknown names. */
export function graphUpTo(graph: Graph, names: readonly string[], operation: string): Graph {
  const outputs = names.map((name) => layerOutput(graph, name, operation));
  if (outputs.length === 0) {
    throw new ConfigError({
      operation,
      argument: 'names',
      expected: 'at least one name of a layer',
      received: 'none',
    });
  }
  return { ...graph, nodes: nodesBefore(graph, outputs), outputs, outputNames: names, output: outputs[0]! };
}

/** The graph up to the outputs at these places: the others, such as auxiliary heads, are not computed. */
export function graphOfOutputs(graph: Graph, places: readonly number[]): Graph {
  if (places.length === graph.outputs.length) return graph;
  const outputs = places.map((place) => graph.outputs[place]!);
  return {
    ...graph,
    nodes: nodesBefore(graph, outputs),
    outputs,
    outputNames: places.map((place) => graph.outputNames[place]!),
    output: outputs[0]!,
  };
}

/** The nodes that lead to tensors, in their order. */
export function nodesBefore(graph: Graph, tensors: readonly number[]): readonly GraphNode[] {
  const needed = new Set(tensors);
  const nodes = graph.nodes.toReversed().filter((node) => {
    if (needed.has(node.output)) for (const index of node.inputs) needed.add(index);
    return needed.has(node.output);
  });
  return nodes.reverse();
}

/** The graph in which exactly the layers of these names are left alone by training. */
export function freezeLayers(graph: Graph, names: ReadonlySet<string>): Graph {
  const freeze = (node: GraphNode) => ({ ...node, trainable: !names.has(node.owner) });
  return { ...graph, nodes: graph.nodes.map(freeze) };
}

/** Names of the layers that are called so or whose names begin so. Throws ConfigError for what fits none. */
export function layersByPrefix(graph: Graph, prefixes: readonly string[], operation: string): string[] {
  const known = [...new Set(graph.nodes.map(({ owner }) => owner))];
  return prefixes.flatMap((prefix) => {
    const found = known.filter((name) => name.startsWith(prefix));
    if (found.length > 0) return found;
    throw new ConfigError({
      operation,
      argument: 'prefix',
      expected: `the beginning of one of ${known.join(', ')}`,
      received: JSON.stringify(prefix),
    });
  });
}

/** Tensors for the inputs of a graph in their order. Throws ConfigError for names that they do not have. */
export function inputsInOrder({ inputNames }: Graph, inputs: InputTensors): readonly SymbolicTensor[] {
  if (!isRecord(inputs)) return Array.isArray(inputs) ? inputs : [inputs as SymbolicTensor];
  const names = Object.keys(inputs);
  const isComplete = names.length === inputNames.length && inputNames.every((name) => names.includes(name));
  if (isComplete) return inputNames.map((name) => inputs[name]!);
  throw new ConfigError({
    operation: 'apply',
    argument: 'inputs',
    expected: `the inputs ${inputNames.join(', ')}`,
    received: names.join(', ') || 'none',
  });
}

/**
 * A graph's tensors as symbolic ones: of its inputs, or of `inputs` in their place. Layers keep their names, behind
 * `prefix`, and begin with the parameters of `model`. Tensors within a layer (before its activation) have none.
 */
export function symbolicTensors(
  graph: Graph,
  model: LayerSource,
  made: Map<string, Layer>,
  { prefix = '', inputs }: { prefix?: string; inputs?: readonly SymbolicTensor[] },
): (SymbolicTensor | undefined)[] {
  const tensors: (SymbolicTensor | undefined)[] = graph.tensors.map(() => undefined);
  for (const tensor of inputs ?? []) checkTensor('apply', 'inputs', tensor);
  graph.inputs.forEach((index, i) => {
    const shape = graph.tensors[index]!;
    const given = inputs?.[i] ?? input({ shape, name: graph.inputNames[i]! });
    if (!sameShape(given.shape, shape) || (inputs !== undefined && inputs.length !== graph.inputs.length)) {
      throw new ConfigError({
        operation: 'apply',
        argument: 'inputs',
        expected: graph.inputs.map((at) => `[${graph.tensors[at]!.join(', ')}]`).join(', '),
        received: (inputs ?? []).map(({ shape: own }) => `[${own.join(', ')}]`).join(', '),
      });
    }
    tensors[index] = given;
  });
  for (const node of graph.nodes) {
    if (node.layerName !== node.owner) continue;
    const name = `${prefix}${node.owner}`;
    const layer = made.get(name) ?? { ...node.layer, name, source: { name: node.owner, model } };
    made.set(name, layer);
    const output = layerOutput(graph, node.name, 'model');
    tensors[output] = applyLayer(
      layer,
      node.inputs.map((index) => tensors[index]!),
    );
  }
  return tensors;
}

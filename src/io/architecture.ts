/**
 * A model's architecture as plain data, and back. `kind` says what the rest means:
 *
 *   {kind: 'sequential', seed, inputShape, layers: [{type, name, config}, ...]}
 *   {kind: 'functional', seed, inputs: [{name, shape}, ...], layers, calls: [{layer, inputs: [tensor, ...]}, ...],
 *    outputs: [{name, tensor}, ...]}
 *
 * A call names its layer by its place in `layers`; tensors are numbered, first the inputs, then what the calls return.
 * A layer that training leaves alone has `trainable: false`. Names are all written out, since they address random
 * numbers and parameters; so are the defaults of options.
 */
import { FormatError } from '../errors.ts';
import { type Graph, type GraphNode, graphParameters, startGraph } from '../model/graph.ts';
import { checkInputShape } from '../tensor/shape.ts';
import { asFormatError, checkMembers, invalid } from './architecture-checks.ts';
import {
  buildLayers,
  type DefinedLayer,
  type Definitions,
  definitionsWith,
  describeLayer,
  type NamedLayer,
} from './architecture-layers.ts';
import { isJsonObject, type Json, type JsonObject } from './json-value.ts';

/** What an architecture is made of. */
export interface Architecture {
  readonly graph: Graph;
  readonly seed: number;
  /** Names of the layers that training leaves alone. */
  readonly frozen: ReadonlySet<string>;
}

/** A call of a layer: its place in the list of layers, and the numbers of its tensors. */
interface Call {
  readonly layer: number;
  readonly inputs: readonly number[];
}

/** An architecture as plain data. Throws ConfigError for layers that no file could bring back. */
export function describeArchitecture(operation: string, { graph, seed, frozen }: Architecture): JsonObject {
  // An activation that follows of itself is part of its owner's configuration.
  const called = graph.nodes.filter(({ layerName, owner }) => layerName === owner);
  const firsts = called.filter(({ call }) => call === 0);
  const layers = firsts.map(({ owner, layer }) => describeLayer(operation, owner, layer, frozen.has(owner)));
  if (isSequential(graph, called)) {
    return { kind: 'sequential', seed, inputShape: graph.tensors[graph.input]!, layers };
  }
  const places = new Map(firsts.map(({ owner }, i) => [owner, i]));
  const numbers = new Map(graph.inputs.map((tensor, i) => [tensor, i]));
  const calls = called.map((node): JsonObject => {
    const inputs = node.inputs.map((tensor) => numbers.get(tensor)!);
    numbers.set(resultOf(graph, node), numbers.size);
    return { layer: places.get(node.owner)!, inputs };
  });
  return {
    kind: 'functional',
    seed,
    inputs: graph.inputs.map((tensor, i) => ({ name: graph.inputNames[i]!, shape: graph.tensors[tensor]! })),
    layers,
    calls,
    outputs: graph.outputs.map((tensor, i) => ({
      name: graph.outputNames[i]!,
      tensor: numbers.get(tensor)!,
    })),
  };
}

/**
 * The model that plain data from a file describe; `own` are layers of the caller's. Nothing of the data is believed:
 * throws FormatError for all that is not exactly what `describeArchitecture` makes.
 */
export function buildArchitecture(operation: string, data: Json, own: readonly DefinedLayer[]): Architecture {
  if (!isJsonObject(data)) throw invalid(operation, 'architecture', 'an object', data);
  const { kind, seed } = data;
  if (kind !== 'sequential' && kind !== 'functional') {
    throw invalid(operation, 'architecture.kind', "'sequential' or 'functional'", kind);
  }
  if (!Number.isSafeInteger(seed) || (seed as number) < 0) {
    throw invalid(operation, 'architecture.seed', 'a whole number from 0 to 2^53-1', seed);
  }
  const definitions = definitionsWith(operation, own);
  const build = kind === 'sequential' ? buildSequential : buildFunctional;
  const { graph, layers } = asFormatError(operation, 'architecture', () => {
    const built = build(operation, data, definitions);
    // Counts every parameter's elements, and refuses what no memory could hold.
    graphParameters(built.graph);
    return built;
  });
  const frozen = new Set(layers.filter(({ trainable }) => !trainable).map(({ name }) => name));
  return { graph, seed: seed as number, frozen };
}

interface Built {
  readonly graph: Graph;
  readonly layers: readonly NamedLayer[];
}

function buildSequential(operation: string, data: JsonObject, definitions: Definitions): Built {
  checkMembers(operation, 'architecture', data, ['kind', 'seed', 'inputShape', 'layers']);
  const layers = buildLayers(operation, data.layers!, definitions);
  const calls = layers.map((_, i) => ({ layer: i, inputs: [i] }));
  const inputs = [{ name: 'input', shape: data.inputShape as readonly number[] }];
  return { graph: grow(inputs, layers, calls, [{ name: 'output', tensor: layers.length }]), layers };
}

function buildFunctional(operation: string, data: JsonObject, definitions: Definitions): Built {
  const where = 'architecture';
  checkMembers(operation, where, data, ['kind', 'seed', 'inputs', 'layers', 'calls', 'outputs']);
  const inputs = listOf(operation, `${where}.inputs`, data.inputs, ['name', 'shape']).map(
    ({ name, shape }) => ({ name, shape: shape as readonly number[] }),
  );
  const layers = buildLayers(operation, data.layers!, definitions);
  const calls = listOf(operation, `${where}.calls`, data.calls, ['layer', 'inputs']).map((call, i) => {
    const at = `${where}.calls[${i}]`;
    const tensors = call.inputs as readonly Json[];
    if (!Array.isArray(tensors)) throw invalid(operation, `${at}.inputs`, 'a list', tensors);
    return {
      layer: checkNumber(operation, `${at}.layer`, call.layer, layers.length),
      inputs: tensors.map((tensor) => checkNumber(operation, `${at}.inputs`, tensor, inputs.length + i)),
    };
  });
  const count = inputs.length + calls.length;
  const outputs = listOf(operation, `${where}.outputs`, data.outputs, ['name', 'tensor']).map(
    ({ name, tensor }, i) => ({
      name,
      tensor: checkNumber(operation, `${where}.outputs[${i}].tensor`, tensor, count),
    }),
  );
  checkNames(operation, `${where}.inputs`, inputs);
  checkNames(operation, `${where}.outputs`, outputs);
  checkAllUsed(operation, inputs.length, layers, calls, outputs);
  const named = (list: typeof outputs) => list as { name: string; tensor: number }[];
  return {
    graph: grow(inputs as { name: string; shape: number[] }[], layers, calls, named(outputs)),
    layers,
  };
}

/** The graph of these calls. Throws ShapeError and ConfigError, naming the layer. */
function grow(
  inputs: readonly { readonly name: string; readonly shape: readonly number[] }[],
  layers: readonly NamedLayer[],
  calls: readonly Call[],
  outputs: readonly { readonly name: string; readonly tensor: number }[],
): Graph {
  const growing = startGraph();
  for (const { name, shape } of inputs) checkInputShape(`input "${name}"`, 'shape', shape);
  const tensors = inputs.map(({ shape }) => growing.addInput(shape));
  const counts = layers.map(() => 0);
  for (const { layer, inputs: from } of calls) {
    const { name } = layers[layer]!;
    const places = from.map((number) => tensors[number]!);
    tensors.push(growing.addLayer(layers[layer]!.layer, name, counts[layer]!, places));
    counts[layer]! += 1;
  }
  return growing.finish(
    tensors.slice(0, inputs.length),
    inputs.map(({ name }) => name),
    outputs.map(({ tensor }) => tensors[tensor]!),
    outputs.map(({ name }) => name),
  );
}

function isSequential(graph: Graph, called: readonly GraphNode[]): boolean {
  const [input, output] = [graph.inputNames[0], graph.outputNames[0]];
  if (graph.inputs.length !== 1 || graph.outputs.length !== 1) return false;
  if (input !== 'input' || output !== 'output' || called.some(({ call }) => call > 0)) return false;
  let last = graph.input;
  for (const node of called) {
    if (node.inputs.length !== 1 || node.inputs[0] !== last) return false;
    last = resultOf(graph, node);
  }
  return last === graph.output;
}

/** What a call of a layer returns, the activation that follows applied. */
function resultOf(graph: Graph, { owner, call }: GraphNode): number {
  return graph.nodes.findLast((node) => node.owner === owner && node.call === call)!.output;
}

function listOf(
  operation: string,
  where: string,
  data: Json | undefined,
  names: readonly string[],
): JsonObject[] {
  if (!Array.isArray(data) || data.length === 0) {
    throw invalid(operation, where, 'a list of at least one', data);
  }
  return data.map((item, i) => {
    checkMembers(operation, `${where}[${i}]`, item, names);
    return item;
  });
}

function checkNumber(operation: string, where: string, value: Json | undefined, below: number): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < below) return value as number;
  throw invalid(operation, where, `a whole number from 0 to ${below - 1}`, value);
}

function checkNames(operation: string, where: string, list: readonly { readonly name: unknown }[]): void {
  const names = new Set<unknown>();
  for (const { name } of list) {
    if (typeof name !== 'string' || names.has(name))
      throw invalid(operation, where, 'names of their own', name);
    names.add(name);
  }
}

/** Throws FormatError where a layer is never called, or where something leads nowhere. */
function checkAllUsed(
  operation: string,
  inputs: number,
  layers: readonly NamedLayer[],
  calls: readonly Call[],
  outputs: readonly { readonly tensor: number }[],
): void {
  const used = new Set([...calls.flatMap((call) => call.inputs), ...outputs.map(({ tensor }) => tensor)]);
  const called = new Set(calls.map(({ layer }) => layer));
  const idle = layers.find((_, i) => !called.has(i));
  let nowhere = 0;
  while (used.has(nowhere)) nowhere += 1;
  if (idle === undefined && nowhere === inputs + calls.length) return;
  throw new FormatError({
    operation,
    argument: 'architecture.calls',
    expected: 'inputs and calls of every layer that lead to the outputs',
    received:
      idle !== undefined ? `no call of ${JSON.stringify(idle.name)}` : `tensor ${nowhere} that nothing uses`,
  });
}

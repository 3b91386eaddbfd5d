/**
 * The graph of a functional model: what leads from inputs to outputs, layers in the order in which they were called.
 * A layer called more than once is one layer with several nodes and one set of parameters.
 */
import { ConfigError } from '../errors.ts';
import type { Layer } from '../layers/layer.ts';
import { checkTensor, type SymbolicTensor } from '../layers/symbolic.ts';
import { formatShape } from '../tensor/shape.ts';
import { type Graph, startGraph } from './graph.ts';

/** One tensor, several in order, or several by name. */
export type OutputTensors =
  | SymbolicTensor
  | readonly SymbolicTensor[]
  | Readonly<Record<string, SymbolicTensor>>;

/** The same for inputs. A name given here goes before that of `input({ name })`. */
export type InputTensors = OutputTensors;

/**
 * Throws ConfigError where an output depends on an input that is not listed, where a listed input leads to no output,
 * where tensors form a cycle; ShapeError where a shared layer's calls need different parameters.
 */
export function functionalGraph(inputs: InputTensors, outputs: OutputTensors): Graph {
  const namedInputs = namedTensors('inputs', inputs);
  const inputList = namedInputs.map(({ tensor }) => tensor);
  const outputList = namedTensors('outputs', outputs);
  const made = collect(
    inputList,
    outputList.map(({ tensor }) => tensor),
  );
  if (made.length === 0) {
    throw new ConfigError({
      operation: 'functional',
      argument: 'outputs',
      expected: 'at least one layer between inputs and outputs',
      received: 'none',
    });
  }
  const growing = startGraph();
  const indices = new Map<SymbolicTensor, number>();
  for (const tensor of inputList) indices.set(tensor, growing.addInput(tensor.shape));
  const calls = new Map<Layer, { readonly name: string; count: number }>();
  for (const tensor of made) {
    const layer = tensor.layer!;
    const known = calls.get(layer) ?? { name: growing.nameOf(layer), count: 0 };
    calls.set(layer, known);
    const from = tensor.inputs.map((source) => indices.get(source)!);
    indices.set(tensor, growing.addLayer(layer, known.name, known.count, from));
    known.count += 1;
  }
  const nameOf = ({ name, tensor }: { name: string | undefined; tensor: SymbolicTensor }) =>
    name ?? (tensor.layer === undefined ? undefined : calls.get(tensor.layer)?.name) ?? 'output';
  return growing.finish(
    inputList.map((tensor) => indices.get(tensor)!),
    distinct(namedInputs.map(({ name, tensor }) => name ?? tensor.name ?? 'input')),
    outputList.map(({ tensor }) => indices.get(tensor)!),
    distinct(outputList.map(nameOf)),
  );
}

/** The tensors between inputs and outputs, in the order in which they were made. */
function collect(
  inputs: readonly SymbolicTensor[],
  outputs: readonly SymbolicTensor[],
): readonly SymbolicTensor[] {
  const given = new Set(inputs);
  const used = new Set<SymbolicTensor>();
  const made = new Set<SymbolicTensor>();
  const open = [...outputs];
  for (let tensor = open.pop(); tensor !== undefined; tensor = open.pop()) {
    if (given.has(tensor)) used.add(tensor);
    else if (tensor.layer === undefined) throw danglingError(tensor);
    else if (!made.has(tensor)) {
      made.add(tensor);
      for (const source of tensor.inputs) checkOrder(tensor, source);
      open.push(...tensor.inputs);
    }
  }
  inputs.forEach((tensor, i) => {
    if (!used.has(tensor)) throw unusedError(tensor, i);
  });
  return [...made].sort((a, b) => a.order - b.order);
}

function listOf(
  argument: string,
  given: SymbolicTensor | readonly SymbolicTensor[],
): readonly SymbolicTensor[] {
  const list = Array.isArray(given) ? (given as readonly SymbolicTensor[]) : [given as SymbolicTensor];
  for (const tensor of list) checkTensor('functional', argument, tensor);
  if (list.length > 0 && new Set(list).size === list.length) return list;
  throw new ConfigError({
    operation: 'functional',
    argument,
    expected: 'one tensor or more, each once',
    received: list.length === 0 ? 'none' : 'the same tensor twice',
  });
}

function namedTensors(
  argument: 'inputs' | 'outputs',
  tensors: OutputTensors,
): { name: string | undefined; tensor: SymbolicTensor }[] {
  if (isRecord(tensors)) {
    const entries = Object.entries(tensors);
    const list = entries.map(([name, tensor]) => ({ name, tensor }));
    listOf(
      argument,
      list.map(({ tensor }) => tensor),
    );
    return list;
  }
  const list = listOf(argument, tensors as SymbolicTensor | readonly SymbolicTensor[]);
  return list.map((tensor) => ({ name: undefined, tensor }));
}

/** Whether tensors are given by name. */
export function isRecord(tensors: OutputTensors): tensors is Readonly<Record<string, SymbolicTensor>> {
  const isObject = !Array.isArray(tensors) && typeof tensors === 'object' && tensors !== null;
  return isObject && typeof (tensors as SymbolicTensor).order !== 'number';
}

/** A tensor is made from tensors made before it; a cycle would break that somewhere. */
function checkOrder(tensor: SymbolicTensor, source: SymbolicTensor): void {
  checkTensor('functional', `inputs of ${describe(tensor)}`, source);
  if (source.order < tensor.order) return;
  throw new ConfigError({
    operation: 'functional',
    argument: `inputs of ${describe(tensor)}`,
    expected: 'tensors that were made before it',
    received: `${describe(source)}, made after it: a cycle`,
  });
}

function danglingError(tensor: SymbolicTensor): ConfigError {
  return new ConfigError({
    operation: 'functional',
    argument: 'inputs',
    expected: 'every input that the outputs depend on',
    received: `a list without ${describe(tensor)}`,
  });
}

function unusedError(tensor: SymbolicTensor, index: number): ConfigError {
  return new ConfigError({
    operation: 'functional',
    argument: `inputs[${index}]`,
    expected: 'a tensor that an output depends on',
    received: `${describe(tensor)}, which leads to none`,
  });
}

function describe({ layer, name, shape }: SymbolicTensor): string {
  const what =
    layer === undefined ? `input "${name ?? 'input'}"` : `${layer.type} "${layer.name ?? layer.type}"`;
  return `${what} ${formatShape(shape)}`;
}

/** Names made different: name, name_1, name_2, ... */
function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((stem) => {
    let name = stem;
    for (let i = 1; taken.has(name); i++) name = `${stem}_${i}`;
    taken.add(name);
    return name;
  });
}

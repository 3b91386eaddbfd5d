/** Emission: walks the nodes and collects the kernel calls of a shard, and the units over the whole batch. */
import { ConfigError } from '../errors.ts';
import type { ClearViewSpec } from '../kernels/clear-view.ts';
import type { CopyViewSpec } from '../kernels/copy-view.ts';
import type { KernelSpec } from '../kernels/kernel.ts';
import type { Numerics } from '../layers/conv-algorithm.ts';
import type {
  BackwardContext,
  BufferRef,
  ForwardContext,
  Operand,
  PlannedBuffer,
  PlannedCall,
  Scope,
  TensorRef,
} from '../layers/layer.ts';
import { streamKey } from '../math/random.ts';
import { elementCount } from '../tensor/shape.ts';
import { plainBuffer, refTo, viewOf } from './buffers.ts';
import { fuseCalls } from './fuse.ts';
import { type Graph, type GraphNode, graphParameters } from './graph.ts';
import { layoutTensors, type TensorLayout } from './layout.ts';
import { channelRange, type Mode } from './places.ts';
import { clearPassing, recomputeFor } from './recompute.ts';

type Size = { readonly fixedBytes?: number; readonly sampleBytes?: number };

/** A point in the shard's calls where all shards meet. */
export interface Meeting {
  /** Calls of the shard before it. */
  readonly after: number;
  readonly units: readonly (readonly PlannedCall[])[];
}

/** The state of one emission. */
export interface Emission {
  readonly graph: Graph;
  readonly mode: Mode;
  readonly seed: number;
  readonly numerics: Numerics;
  /** Samples of a full batch. */
  readonly batchSize: number;
  readonly layout: TensorLayout;
  /** Whether several workers compute one tensor, so that none is a worker's own. */
  readonly split: boolean;
  /** The shard's calls so far. */
  readonly calls: PlannedCall[];
  /** Units over the whole batch, in rounds: what a shared layer adds to its first call's gradients waits for them. */
  readonly batchUnits: PlannedCall[][][];
  /** How many nodes of a layer have emitted their backward pass. */
  readonly backwardPasses: Map<string, number>;
  /** Where all shards meet, as a number of calls, and the units over the whole batch that run then. */
  readonly meetings: Meeting[];
  /** By layer, what changes what it keeps: run with the update, in this order. */
  readonly keeping: Map<string, PlannedCall[]>;
  /** Tensors that the backward pass has computed again so far. */
  readonly recomputed: Set<number>;
  /** Calls that make prepared copies, by the copy's name. */
  readonly prepared: Map<string, PlannedCall>;
  /** Gradients of parameters as the shards or batch units write them, by parameter. */
  readonly gradients: Map<string, BufferRef>;
  /** Number of the step, i32 [low, high]. */
  readonly step: PlannedBuffer;
  call(spec: KernelSpec, operands: readonly Operand[]): void;
  tensor(index: number): TensorRef;
  gradient(index: number): TensorRef;
  /** Marks a tensor's gradient as written; true where it had been written before. */
  touchGradient(index: number): boolean;
  /** Whether anything has written a tensor's gradient. */
  hasGradient(index: number): boolean;
  parameter(name: string): PlannedBuffer;
  /** The same buffer for the same name. */
  buffer(name: string, scope: Scope, size: Size): PlannedBuffer;
}

/** An emission without calls. */
export function startEmission(
  graph: Graph,
  mode: Mode,
  options: Pick<Emission, 'seed' | 'numerics' | 'batchSize'>,
  split = false,
): Emission {
  const layout = layoutTensors(graph, mode, split);
  const written = new Map<number, Uint8Array>();
  const buffers = new Map<string, PlannedBuffer>();
  const calls: PlannedCall[] = [];
  const buffer = (name: string, scope: Scope, size: Size) => {
    const found = buffers.get(name) ?? plainBuffer(name, scope, size);
    buffers.set(name, found);
    return found;
  };
  const sizes = new Map(graphParameters(graph).map(({ name, elements }) => [name, elements]));
  return {
    graph,
    mode,
    ...options,
    layout,
    split,
    calls,
    batchUnits: [],
    backwardPasses: new Map(),
    meetings: [],
    keeping: new Map(),
    recomputed: new Set(),
    prepared: new Map(),
    gradients: new Map(),
    step: plainBuffer('step', 'slot', { fixedBytes: 8 }),
    call: (spec, operands) => void calls.push({ spec, operands }),
    tensor: (index) => layout.activations[index]!,
    gradient: (index) => layout.gradients[index]!,
    touchGradient: (index) => touchGradient(graph, layout, written, index, calls),
    hasGradient: (index) => {
      const [from, to] = channelRange(graph.tensors, index, layout.places[index]!);
      return written.get(layout.places[index]!.root)?.subarray(from, to).includes(1) ?? false;
    },
    parameter: (name) => buffer(`parameter/${name}`, 'model', { fixedBytes: sizes.get(name)! * 4 }),
    buffer,
  };
}

/**
 * Marks the gradient of a tensor as written, channel by channel of the memory in which it lies; returns whether it had
 * been written before. Where only a part had been (a slice of a concatenation that others read too), the rest is
 * cleared, so that the whole can be added to.
 */
function touchGradient(
  graph: Graph,
  { places, gradients }: TensorLayout,
  written: Map<number, Uint8Array>,
  index: number,
  calls: PlannedCall[],
): boolean {
  const { root } = places[index]!;
  const channels = written.get(root) ?? new Uint8Array(graph.tensors[root]!.at(-1)!);
  written.set(root, channels);
  const [from, to] = channelRange(graph.tensors, index, places[index]!);
  const before = channels.subarray(from, to).includes(1);
  for (let channel = from; before && channel < to; channel++) {
    if (channels[channel] === 1) continue;
    let end = channel;
    while (end < to && channels[end] === 0) end += 1;
    const { view, origin } = gradients[root]!;
    const output = { ...view, channels: end - channel };
    const spec: ClearViewSpec = { kind: 'clearView', output };
    calls.push({
      spec,
      operands: [{ ...origin, offsetBytes: origin.offsetBytes + 4 * channel }, 'count'],
    });
    channel = end;
  }
  channels.fill(1, from, to);
  return before;
}

/** Emits a node's forward pass. */
export function emitForward(emission: Emission, node: GraphNode): void {
  const { definition } = node.layer;
  if (emission.layout.aliases.has(node)) return;
  if (definition.reshape) {
    copyReshaped(emission, node, emission.tensor(node.inputs[0]!), emission.tensor(node.output), false);
    return;
  }
  clearPassing(emission, node, emission.tensor(node.output));
  definition.forward?.(forwardContext(emission, node, emission.tensor));
}

/** Emits a node's backward pass, unless nothing upstream is trained or no loss depends on the node. */
export function emitBackward(emission: Emission, node: GraphNode): void {
  const { definition } = node.layer;
  const { layout } = emission;
  if (layout.aliases.has(node) || !layout.needsGradient[node.output]) return;
  if (!emission.hasGradient(node.output)) return;
  const [start, meetings] = [emission.calls.length, emission.meetings.length];
  emission.touchGradient(node.output);
  const tensor = (index: number) => layout.again.get(index) ?? emission.tensor(index);
  const context = { ...forwardContext(emission, node, tensor), ...backwardParts(emission, node) };
  if (!definition.reshape) {
    definition.backward?.(context);
    recomputeFor(emission, start, meetings, (into, maker) => {
      const again = forwardContext(into, maker, tensor);
      clearPassing(into, maker, again.output);
      maker.layer.definition.recompute!(again);
    });
    return;
  }
  const gradInput = context.gradInput();
  if (gradInput === undefined) return;
  copyReshaped(emission, node, context.gradOutput, gradInput, gradInput.accumulate);
}

/**
 * to = from, or to + from, element by element in row-major order of two shapes. One of the two has to lie without gaps
 * to be read under the other's shape; where neither does, a buffer stands between.
 */
function copyReshaped(
  emission: Emission,
  node: GraphNode,
  from: TensorRef,
  to: TensorRef,
  accumulate: boolean,
): void {
  const copy = (a: TensorRef, b: TensorRef, adds: boolean) => {
    const spec: CopyViewSpec = { kind: 'copyView', input: a.view, output: b.view, accumulate: adds };
    emission.call(spec, [a.origin, b.origin, 'count']);
  };
  const as = (origin: BufferRef, { shape }: TensorRef) => ({ shape, view: viewOf(shape, 0), origin });
  if (isContiguous(to)) copy(from, as(to.origin, from), accumulate);
  else if (isContiguous(from)) copy(as(from.origin, to), to, accumulate);
  else {
    const size = { sampleBytes: 4 * elementCount(from.shape) };
    const between = refTo(emission.buffer(`reshape/${node.name}`, emission.split ? 'batch' : 'unit', size));
    copy(from, as(between, from), false);
    copy(as(between, to), to, accumulate);
  }
}

function isContiguous({ view, shape }: TensorRef): boolean {
  return view.imageStride === elementCount(shape);
}

function forwardContext(
  emission: Emission,
  node: GraphNode,
  tensor: (index: number) => TensorRef,
): ForwardContext<unknown> {
  const owned = (kind: string, name: string, scope: Scope, size: Size) =>
    refTo(emission.buffer(`${kind}/${node.name}/${name}`, scope, size));
  return {
    name: node.name,
    config: node.layer.config,
    mode: emission.mode,
    numerics: emission.numerics,
    batchSize: emission.batchSize,
    trainable: node.trainable,
    inputs: node.inputs.map(tensor),
    output: tensor(node.output),
    step: refTo(emission.step),
    parameter: (name) => refTo(emission.parameter(declaredName(node, name))),
    prepared(name, parameter, elements, spec, from = 0) {
      const sources = [parameter]
        .flat()
        .map((each) => refTo(emission.parameter(declaredName(node, each)), from));
      const size = { fixedBytes: elements * 4 };
      const shared = node.call > 0 && preparedCopy(emission, `prepared/${node.layerName}/${name}`, spec);
      if (shared) return shared;
      const copy = owned('prepared', name, 'model', size);
      emission.prepared.set(copy.buffer.name, { spec, operands: [...sources, copy] });
      return copy;
    },
    saved: (name, elements) =>
      owned('saved', name, emission.split ? 'batch' : 'unit', { sampleBytes: elements * 4 }),
    scratch: (elements) => refTo(plainBuffer(`scratch/${node.name}`, 'unit', { fixedBytes: elements * 4 })),
    shared: (name, elements) => owned('shared', name, 'program', { fixedBytes: elements * 4 }),
    meet(units) {
      const named = units.map((calls) => ofLayer(node, calls));
      emission.meetings.push({ after: emission.calls.length, units: named });
    },
    whileUpdating(calls) {
      const before = emission.keeping.get(node.layerName) ?? [];
      emission.keeping.set(node.layerName, [...before, ...calls]);
    },
    streamKey: (purpose) => streamKey(emission.seed, purpose, node.name),
    call: (spec, operands) => addCall(emission, { spec, operands, layer: node.name }),
  };
}

/** Whether a call reads what is computed again right before its own node's calls: too late for those in front. */
function readsAgain({ again }: TensorLayout, { operands }: PlannedCall): boolean {
  const buffers = new Set([...again.values()].map(({ origin }) => origin.buffer));
  return operands.some((operand) => typeof operand === 'object' && buffers.has(operand.buffer));
}

/** Adds a call to the shard's, by way of the last one where it can do both. */
function addCall({ calls, meetings, layout }: Emission, call: PlannedCall): void {
  const last = calls.at(-1);
  const isApart = last === undefined || meetings.at(-1)?.after === calls.length;
  const fused = isApart ? undefined : fuseCalls(last, call);
  if (fused === undefined || readsAgain(layout, call)) calls.push(call);
  else calls[calls.length - 1] = fused;
}

function ofLayer({ name }: GraphNode, calls: readonly PlannedCall[]): PlannedCall[] {
  return calls.map((call) => ({ ...call, layer: name }));
}

/** The copy that an earlier call of a shared layer asked for, if it is made in the same way. */
function preparedCopy(emission: Emission, name: string, spec: KernelSpec): BufferRef | undefined {
  const known = emission.prepared.get(name);
  if (known === undefined || JSON.stringify(known.spec) !== JSON.stringify(spec)) return undefined;
  return known.operands.at(-1) as BufferRef;
}

/** Full name of a layer's parameter. Throws ConfigError for one that its definition does not declare. */
function declaredName(node: GraphNode, name: string): string {
  const declared = node.parameters.map((parameter) => parameter.name);
  if (declared.includes(name)) return `${node.layerName}/${name}`;
  throw new ConfigError({
    operation: `${node.layer.type} "${node.name}"`,
    argument: 'parameter',
    expected:
      declared.length === 0 ? 'none: the layer declares no parameters' : `one of ${declared.join(', ')}`,
    received: JSON.stringify(name),
  });
}

function backwardParts(
  emission: Emission,
  node: GraphNode,
): Omit<BackwardContext<unknown>, keyof ForwardContext<unknown>> {
  const round = emission.backwardPasses.get(node.layerName) ?? 0;
  emission.backwardPasses.set(node.layerName, round + 1);
  return {
    gradOutput: emission.gradient(node.output),
    gradInput(index = 0) {
      const tensor = node.inputs[index]!;
      if (!emission.layout.needsGradient[tensor]) return undefined;
      return { ...emission.gradient(tensor), accumulate: emission.touchGradient(tensor) };
    },
    gradParameter(name) {
      const full = declaredName(node, name);
      if (!node.trainable) return undefined;
      const spec = node.parameters.find((parameter) => parameter.name === name)!;
      const known = emission.gradients.get(full);
      const scope = spec.gradient === 'batch' ? 'program' : 'shard';
      const size = { fixedBytes: elementCount(spec.shape) * 4 };
      const origin = known ?? refTo(plainBuffer(`partial/${full}`, scope, size));
      emission.gradients.set(full, origin);
      return { origin, accumulate: known !== undefined };
    },
    batchUnit(calls) {
      while (emission.batchUnits.length <= round) emission.batchUnits.push([]);
      emission.batchUnits[round]!.push(ofLayer(node, calls));
    },
  };
}

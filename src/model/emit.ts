/** Emission: walks the nodes and collects the kernel calls of a shard, and the units over the whole batch. */
import { ConfigError } from '../errors.ts';
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
import { type Graph, type GraphNode, graphParameters } from './graph.ts';
import { isAlias, layoutTensors, type Mode, type TensorLayout } from './layout.ts';

type Size = { readonly fixedBytes?: number; readonly sampleBytes?: number };

/** The state of one emission. */
export interface Emission {
  readonly graph: Graph;
  readonly mode: Mode;
  readonly seed: number;
  readonly numerics: Numerics;
  readonly layout: TensorLayout;
  /** The shard's calls so far. */
  readonly calls: PlannedCall[];
  /** Units over the whole batch. */
  readonly batchUnits: PlannedCall[][];
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
  parameter(name: string): PlannedBuffer;
  /** The same buffer for the same name. */
  buffer(name: string, scope: Scope, size: Size): PlannedBuffer;
}

/** An emission without calls. */
export function startEmission(
  graph: Graph,
  mode: Mode,
  seed: number,
  numerics: Numerics,
  split = false,
): Emission {
  const layout = layoutTensors(graph, mode, split);
  const written = new Set<number>();
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
    seed,
    numerics,
    layout,
    calls,
    batchUnits: [],
    prepared: new Map(),
    gradients: new Map(),
    step: plainBuffer('step', 'slot', { fixedBytes: 8 }),
    call: (spec, operands) => void calls.push({ spec, operands }),
    tensor: (index) => layout.activations[index]!,
    gradient: (index) => layout.gradients[index]!,
    touchGradient(index) {
      const root = layout.roots[index]!;
      const before = written.has(root);
      written.add(root);
      return before;
    },
    parameter: (name) => buffer(`parameter/${name}`, 'model', { fixedBytes: sizes.get(name)! * 4 }),
    buffer,
  };
}

/** Emits a node's forward pass. */
export function emitForward(emission: Emission, node: GraphNode): void {
  const { definition } = node.layer;
  if (isAlias(emission.layout, node)) return;
  if (definition.reshape) {
    const [from, to] = [emission.tensor(node.inputs[0]!), emission.tensor(node.output)];
    const spec: CopyViewSpec = {
      kind: 'copyView',
      input: from.view,
      output: viewOf(from.shape, 0),
      accumulate: false,
    };
    emission.call(spec, [from.origin, to.origin, 'count']);
    return;
  }
  definition.forward?.(forwardContext(emission, node));
}

/** Emits a node's backward pass, unless nothing upstream is trained. */
export function emitBackward(emission: Emission, node: GraphNode): void {
  const { definition } = node.layer;
  const { layout } = emission;
  if (isAlias(layout, node) || !layout.needsGradient[node.output]) return;
  const context = { ...forwardContext(emission, node), ...backwardParts(emission, node) };
  if (!definition.reshape) {
    definition.backward?.(context);
    return;
  }
  const gradInput = context.gradInput();
  if (gradInput === undefined) return;
  const spec: CopyViewSpec = {
    kind: 'copyView',
    input: viewOf(gradInput.shape, 0),
    output: gradInput.view,
    accumulate: gradInput.accumulate,
  };
  emission.call(spec, [context.gradOutput.origin, gradInput.origin, 'count']);
}

function forwardContext(emission: Emission, node: GraphNode): ForwardContext<unknown> {
  const owned = (kind: string, name: string, scope: Scope, size: Size) =>
    refTo(emission.buffer(`${kind}/${node.name}/${name}`, scope, size));
  return {
    name: node.name,
    config: node.layer.config,
    mode: emission.mode,
    numerics: emission.numerics,
    inputs: node.inputs.map((index) => emission.tensor(index)),
    output: emission.tensor(node.output),
    step: refTo(emission.step),
    parameter: (name) => refTo(emission.parameter(declaredName(node, name))),
    prepared(name, parameter, elements, spec) {
      const copy = owned('prepared', name, 'model', { fixedBytes: elements * 4 });
      const source = refTo(emission.parameter(declaredName(node, parameter)));
      emission.prepared.set(copy.buffer.name, { spec, operands: [source, copy] });
      return copy;
    },
    saved: (name, elements) => owned('saved', name, 'unit', { sampleBytes: elements * 4 }),
    scratch: (elements) => refTo(plainBuffer(`scratch/${node.name}`, 'unit', { fixedBytes: elements * 4 })),
    streamKey: (purpose) => streamKey(emission.seed, purpose, node.name),
    call: emission.call,
  };
}

/** Full name of a layer's parameter. Throws ConfigError for one that its definition does not declare. */
function declaredName(node: GraphNode, name: string): string {
  const declared = node.parameters.map((parameter) => parameter.name);
  if (declared.includes(name)) return `${node.name}/${name}`;
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
  return {
    gradOutput: emission.gradient(node.output),
    gradInput(index = 0) {
      const tensor = node.inputs[index]!;
      if (!emission.layout.needsGradient[tensor]) return undefined;
      return { ...emission.gradient(tensor), accumulate: emission.touchGradient(tensor) };
    },
    gradParameter(name) {
      const full = declaredName(node, name);
      const spec = node.parameters.find((parameter) => parameter.name === name)!;
      const known = emission.gradients.get(full);
      const scope = spec.gradient === 'batch' ? 'program' : 'shard';
      const size = { fixedBytes: elementCount(spec.shape) * 4 };
      const origin = known ?? refTo(plainBuffer(`partial/${full}`, scope, size));
      emission.gradients.set(full, origin);
      return { origin, accumulate: known !== undefined };
    },
    batchUnit: (calls) => void emission.batchUnits.push([...calls]),
  };
}

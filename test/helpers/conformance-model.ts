/**
 * A model around one layer or several, for their conformance: a source that lets gradients be asked for, the
 * layers, and a loss that hands them a chosen gradient. What comes out is read from two buffers of plain arrays.
 *
 *   inputs [n, ...inputShape] -> source -> layers -> outputs [n, ...outputShape]
 *   gradInputs [n, ...inputShape] <-          <- targets [n, ...outputShape], the gradient of the outputs
 */
import type { CopyViewSpec } from '../../src/kernels/copy-view.ts';
import {
  type BufferRef,
  type CallableLayer,
  defineLayer,
  type Layer,
  type PlannedBuffer,
} from '../../src/layers/layer.ts';
import { applyLayer, input, type SymbolicTensor } from '../../src/layers/symbolic.ts';
import { plainBuffer, refTo, viewOf } from '../../src/model/buffers.ts';
import type { InputFormat, LossPlan } from '../../src/model/contracts.ts';
import { functionalGraph } from '../../src/model/functional.ts';
import { type Graph, graphParameters, sequentialGraph } from '../../src/model/graph.ts';
import { type Plan, planProgram } from '../../src/model/plan.ts';
import { elementCount, type Shape } from '../../src/tensor/shape.ts';
import type { View } from '../../src/tensor/view.ts';

/** Floats as they are. */
export const PLAIN_INPUT: InputFormat = {
  type: 'float32',
  mode: 'none',
  mean: [],
  std: [],
  augmented: false,
};

export interface ProbeOptions {
  readonly batchSize: number;
  readonly shardSize: number;
  /** Whether the layer comes first, so that nobody needs the gradient of its input; default false. */
  readonly first?: boolean;
  readonly seed?: number;
}

/** The plan of a training step around a layer. */
export interface ProbedPlan {
  readonly graph: Graph;
  readonly plan: Plan;
  readonly outputs: PlannedBuffer;
  /** Not written where the layer comes first. */
  readonly gradInputs: PlannedBuffer;
}

/**
 * Plans a training step of one layer, or of several in a row. The shapes of a layer of several inputs: its samples
 * hold the first input, then the second, ...
 */
export function probePlan(
  layer: Layer | readonly Layer[],
  inputShape: Shape | readonly Shape[],
  options: ProbeOptions,
): ProbedPlan {
  const { first = false } = options;
  const shapes = shapesOf(inputShape);
  const gradInputs = probeBuffer('gradInputs', [total(shapes)]);
  const layers = 'definition' in layer ? [layer] : layer;
  const graph =
    shapes.length > 1
      ? joinedGraph(layers[0]!, shapes, first ? undefined : gradInputs)
      : sequentialGraph(shapes[0]!, first ? layers : [source(gradInputs), ...layers]);
  return probeGraph(graph, gradInputs, options);
}

function probeGraph(graph: Graph, gradInputs: PlannedBuffer, options: ProbeOptions): ProbedPlan {
  const { batchSize, shardSize, seed = 0 } = options;
  const outputShape = graph.tensors[graph.output]!;
  const outputs = probeBuffer('outputs', outputShape);
  const plan = planProgram(graph, {
    mode: 'train',
    batchSize,
    shardSize,
    input: PLAIN_INPUT,
    targets: { kind: 'dense', length: elementCount(outputShape) },
    loss: givenGradient(outputShape, outputs),
    seed,
  });
  return { graph, plan, outputs, gradInputs };
}

/** Plans a training step of a network between a vector or image and one output. */
export function probeNetwork(
  network: (input: SymbolicTensor) => SymbolicTensor,
  inputShape: Shape,
  options: ProbeOptions,
): ProbedPlan {
  const gradInputs = probeBuffer('gradInputs', inputShape);
  const first = input({ shape: inputShape });
  const graph = functionalGraph(first, network(options.first ? first : source(gradInputs)(first)));
  return probeGraph(graph, gradInputs, options);
}

/** Plans a network's prediction. */
export function networkInference(
  network: (input: SymbolicTensor) => SymbolicTensor,
  inputShape: Shape,
  { batchSize, shardSize, seed = 0 }: ProbeOptions,
): Plan {
  const first = input({ shape: inputShape });
  const graph = functionalGraph(first, network(first));
  return planProgram(graph, { mode: 'predict', batchSize, shardSize, input: PLAIN_INPUT, seed });
}

/** Plans the layer's prediction. */
export function inferencePlan(
  layer: Layer,
  inputShape: Shape | readonly Shape[],
  options: ProbeOptions,
): Plan {
  const { batchSize, shardSize, seed = 0 } = options;
  const shapes = shapesOf(inputShape);
  const graph =
    shapes.length > 1 ? joinedGraph(layer, shapes, undefined) : sequentialGraph(shapes[0]!, [layer]);
  return planProgram(graph, { mode: 'predict', batchSize, shardSize, input: PLAIN_INPUT, seed });
}

/** Names and lengths of the layer's own parameters. */
export function probedParameters(graph: Graph): { name: string; elements: number }[] {
  return graphParameters(graph).filter(({ layer }) => !/^source(_\d+)?$/.test(layer));
}

function shapesOf(shapes: Shape | readonly Shape[]): readonly Shape[] {
  return typeof shapes[0] === 'object' ? (shapes as readonly Shape[]) : [shapes as Shape];
}

function total(shapes: readonly Shape[]): number {
  return shapes.reduce((sum, shape) => sum + elementCount(shape), 0);
}

/** A layer of several inputs, each a part of the model's input; `gradients`: where their gradients go. */
function joinedGraph(layer: Layer, shapes: readonly Shape[], gradients: PlannedBuffer | undefined): Graph {
  const whole = input({ shape: [total(shapes)] });
  let from = 0;
  const parts = shapes.map((shape) => {
    const made = part(shape, from, total(shapes), gradients)(whole);
    from += elementCount(shape);
    return made;
  });
  return functionalGraph(whole, applyLayer(layer, parts));
}

function probeBuffer(name: string, shape: Shape): PlannedBuffer {
  return plainBuffer(`probe/${name}`, 'batch', { sampleBytes: 4 * elementCount(shape) });
}

/** The identity, whose one parameter makes the gradient of its output needed; that gradient goes to a buffer. */
function source(gradients: PlannedBuffer): CallableLayer {
  return defineLayer<Record<string, never>, Record<string, never>>({
    type: 'source',
    resolve: () => ({}),
    outputShape: (_config, [input]) => input!,
    parameters: () => [{ name: 'unused', shape: [1], initializer: 'zeros' }],
    forward({ inputs: [input], output, call }) {
      const spec: CopyViewSpec = {
        kind: 'copyView',
        input: input!.view,
        output: output.view,
        accumulate: false,
      };
      call(spec, [input!.origin, output.origin, 'count']);
    },
    backward({ gradOutput, call }) {
      const output = viewOf(gradOutput.shape, 0);
      const spec: CopyViewSpec = { kind: 'copyView', input: gradOutput.view, output, accumulate: false };
      call(spec, [gradOutput.origin, refTo(gradients), 'count']);
    },
    examples: [],
  })({});
}

/** Elements `from`, `from + 1`, ... of a vector, read as `shape`; the gradient goes to the same place of a buffer. */
function part(shape: Shape, from: number, stride: number, gradients: PlannedBuffer | undefined) {
  const view: View = { ...viewOf(shape, 0), imageStride: stride };
  const shift = ({ buffer, offsetBytes }: BufferRef) => ({ buffer, offsetBytes: offsetBytes + 4 * from });
  return defineLayer<Record<string, never>, Record<string, never>>({
    type: 'source',
    resolve: () => ({}),
    outputShape: () => shape,
    parameters: () => (gradients === undefined ? [] : [{ name: 'unused', shape: [1], initializer: 'zeros' }]),
    forward({ inputs: [input], output, call }) {
      const spec: CopyViewSpec = { kind: 'copyView', input: view, output: output.view, accumulate: false };
      call(spec, [shift(input!.origin), output.origin, 'count']);
    },
    backward({ gradOutput, call }) {
      const spec: CopyViewSpec = {
        kind: 'copyView',
        input: gradOutput.view,
        output: view,
        accumulate: false,
      };
      call(spec, [gradOutput.origin, shift(refTo(gradients!)), 'count']);
    },
    examples: [],
  })({});
}

/** A loss whose gradient is the targets; it keeps the outputs. */
function givenGradient(shape: Shape, outputs: PlannedBuffer): LossPlan {
  const plain = viewOf(shape, 0);
  return {
    name: 'givenGradient',
    takesLogits: false,
    emit({ output, targets, gradient, call }) {
      const keep: CopyViewSpec = { kind: 'copyView', input: output.view, output: plain, accumulate: false };
      call(keep, [output.origin, refTo(outputs), 'count']);
      const give: CopyViewSpec = {
        kind: 'copyView',
        input: plain,
        output: gradient!.view,
        accumulate: false,
      };
      call(give, [targets, gradient!.origin, 'count']);
    },
  };
}

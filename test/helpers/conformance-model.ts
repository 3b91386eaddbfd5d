/**
 * A model around one layer or several, for their conformance: a source that lets gradients be asked for, the
 * layers, and a loss that hands them a chosen gradient. What comes out is read from two buffers of plain arrays.
 *
 *   inputs [n, ...inputShape] -> source -> layers -> outputs [n, ...outputShape]
 *   gradInputs [n, ...inputShape] <-          <- targets [n, ...outputShape], the gradient of the outputs
 */
import type { CopyViewSpec } from '../../src/kernels/copy-view.ts';
import { defineLayer, type Layer, type PlannedBuffer } from '../../src/layers/layer.ts';
import { plainBuffer, refTo, viewOf } from '../../src/model/buffers.ts';
import type { InputFormat, LossPlan } from '../../src/model/contracts.ts';
import { type Graph, graphParameters, sequentialGraph } from '../../src/model/graph.ts';
import { type Plan, planProgram } from '../../src/model/plan.ts';
import { elementCount, type Shape } from '../../src/tensor/shape.ts';

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

/** Plans a training step of one layer, or of several in a row. */
export function probePlan(
  layer: Layer | readonly Layer[],
  inputShape: Shape,
  options: ProbeOptions,
): ProbedPlan {
  const { batchSize, shardSize, first = false, seed = 0 } = options;
  const gradInputs = probeBuffer('gradInputs', inputShape);
  const layers = 'definition' in layer ? [layer] : layer;
  const graph = sequentialGraph(inputShape, first ? layers : [source(gradInputs), ...layers]);
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

/** Plans the layer's prediction. */
export function inferencePlan(layer: Layer, inputShape: Shape, options: ProbeOptions): Plan {
  const { batchSize, shardSize, seed = 0 } = options;
  const graph = sequentialGraph(inputShape, [layer]);
  return planProgram(graph, { mode: 'predict', batchSize, shardSize, input: PLAIN_INPUT, seed });
}

/** Names and lengths of the layer's own parameters. */
export function probedParameters(graph: Graph): { name: string; elements: number }[] {
  return graphParameters(graph).filter(({ layer }) => layer !== 'source');
}

function probeBuffer(name: string, shape: Shape): PlannedBuffer {
  return plainBuffer(`probe/${name}`, 'batch', { sampleBytes: 4 * elementCount(shape) });
}

/** The identity, whose one parameter makes the gradient of its output needed; that gradient goes to a buffer. */
function source(gradients: PlannedBuffer): Layer {
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

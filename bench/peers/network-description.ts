/**
 * A model in the terms of ONNX and PyTorch: steps on tensors [C, H, W] (without the batch), and parameters in their
 * layouts. One description makes the network in all of them.
 *
 *   convolutions HWIO -> OIHW; dense weights [in, out] -> [out, in], behind a flatten with their inputs in the order C, H, W
 */
import { ConfigError } from '../../src/errors.ts';
import type { Conv2dConfig } from '../../src/layers/conv2d.ts';
import { type PoolConfig, windowOf } from '../../src/layers/pooling-options.ts';
import type { GraphNode } from '../../src/model/graph.ts';
import { convGeometry, type Padding } from '../../src/tensor/convolution.ts';
import type { Shape } from '../../src/tensor/shape.ts';
import type { Model } from '../../src/training/model.ts';

/** One operation; what belongs to which `op` is in `describeNode`. */
export interface Step {
  readonly op: string;
  /** Tensors read, by number. */
  readonly inputs: readonly number[];
  readonly output: number;
  /** Names of parameters, in the order that the operation takes. */
  readonly parameters: readonly string[];
  /** [vertical, horizontal]. */
  readonly kernel?: readonly number[];
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
  /** Zeros or left-out pixels: top, left, bottom, right. */
  readonly pads?: readonly number[];
  readonly groups?: number;
  readonly countPadding?: boolean;
  readonly epsilon?: number;
  readonly momentum?: number;
  readonly rate?: number;
  readonly filters?: number;
}

export interface DescribedParameter {
  readonly name: string;
  readonly shape: Shape;
  readonly data: Float32Array;
}

export interface NetworkDescription {
  /** [C, H, W]. */
  readonly inputShape: Shape;
  readonly classes: number;
  readonly input: number;
  readonly output: number;
  readonly steps: readonly Step[];
  readonly parameters: readonly DescribedParameter[];
}

type Weights = ReturnType<Model['getWeights']>;

/** Describes a model of one input [H, W, C] and one output [classes]. Throws ConfigError for other layers. */
export function describeNetwork(model: Model): NetworkDescription {
  const { graph } = model;
  const weights = model.getWeights();
  const [height, width, channels] = graph.tensors[graph.input] as [number, number, number];
  const parameters: DescribedParameter[] = [];
  const steps: Step[] = [];
  // Vectors that a flatten has left, and what depends on their elements one by one: the image [H, W, C] they were.
  const flattened = new Map<number, Shape>();
  let tensors = graph.tensors.length;
  for (const node of graph.nodes) {
    const image = node.layer.type === 'flatten' ? node.inputShapes[0]! : flattened.get(node.inputs[0]!);
    if (image !== undefined && node.layer.type !== 'dense') flattened.set(node.output, image);
    const own = parametersOf(node, weights, image);
    parameters.push(...own);
    const { relu, ...step } = describeNode(node);
    const names = own.map(({ name }) => name);
    const between = relu ? tensors++ : node.output;
    steps.push({ ...step, inputs: node.inputs, output: between, parameters: names });
    if (relu) steps.push({ op: 'relu', inputs: [between], output: node.output, parameters: [] });
  }
  const classes = graph.tensors[graph.output]![0]!;
  const inputShape = [channels, height, width];
  return { inputShape, classes, input: graph.input, output: graph.output, steps, parameters };
}

type Described = Omit<Step, 'inputs' | 'output' | 'parameters'> & { readonly relu?: boolean };

function describeNode({ layer, inputShapes }: GraphNode): Described {
  const { type } = layer;
  const config = layer.config as Record<string, unknown>;
  const relu = config.activation === 'relu';
  switch (type) {
    case 'conv2d': {
      const g = convGeometry(type, inputShapes[0]!, layer.config as Conv2dConfig);
      return {
        op: 'conv',
        kernel: [g.kernelHeight, g.kernelWidth],
        strides: [g.strideY, g.strideX],
        dilations: [g.dilationY, g.dilationX],
        pads: sides(g.padding),
        groups: g.groups,
        relu,
      };
    }
    case 'dense':
      return { op: 'dense', relu };
    case 'maxPooling2d':
    case 'averagePooling2d': {
      const window = windowOf(layer.config as PoolConfig, inputShapes[0]!);
      return {
        op: type === 'maxPooling2d' ? 'maxPool' : 'averagePool',
        kernel: [window.height, window.width],
        strides: [window.strideY, window.strideX],
        pads: sides(window.padding),
        countPadding: config.countPadding === true,
      };
    }
    case 'batchNormalization':
      if (config.scale && config.center) {
        return { op: 'batchNorm', epsilon: config.epsilon as number, momentum: config.momentum as number };
      }
      break;
    case 'activation':
      if (config.function === 'relu' || config.function === 'softmax') return { op: config.function };
      break;
    case 'zeroPadding2d':
      return { op: 'pad', pads: sides(config.padding as Padding) };
    case 'identityShortcut':
      return {
        op: 'shortcut',
        filters: config.filters as number,
        strides: config.strides as readonly number[],
      };
    case 'dropout':
      return { op: 'dropout', rate: config.rate as number };
    case 'globalAveragePooling2d':
      return { op: 'globalAveragePool' };
    case 'add':
      return { op: 'add' };
    case 'concatenate':
      return { op: 'concatenate' };
    case 'flatten':
      return { op: 'flatten' };
  }
  throw new ConfigError({
    operation: 'peers',
    argument: 'layer',
    expected: 'a layer that network-description.ts knows',
    received: `${type} ${JSON.stringify(config)}`,
  });
}

function sides({ top, left, bottom, right }: Padding): number[] {
  return [top, left, bottom, right];
}

function parametersOf(node: GraphNode, weights: Weights, image: Shape | undefined): DescribedParameter[] {
  return node.parameters.map(({ name: short }) => {
    const name = `${node.layerName}/${short}`;
    const { shape, data } = weights[name]!;
    if (shape.length === 4) return { name, ...toOihw(shape, data) };
    if (shape.length === 2) return { name, ...toRows(shape, data, image) };
    return { name, shape, data };
  });
}

/** [kh, kw, C, K] to [K, C, kh, kw]. */
function toOihw(shape: Shape, data: Float32Array): Omit<DescribedParameter, 'name'> {
  const [height, width, inputs, outputs] = shape as [number, number, number, number];
  const taps = height * width;
  const result = new Float32Array(data.length);
  for (let tap = 0, from = 0; tap < taps; tap++) {
    for (let c = 0; c < inputs; c++) {
      for (let k = 0; k < outputs; k++) result[(k * inputs + c) * taps + tap] = data[from++]!;
    }
  }
  return { shape: [outputs, inputs, height, width], data: result };
}

/** [in, out] to [out, in], the inputs of an image [H, W, C] in the order C, H, W. */
function toRows(
  shape: Shape,
  data: Float32Array,
  image: Shape | undefined,
): Omit<DescribedParameter, 'name'> {
  const [inputs, outputs] = shape as [number, number];
  const channels = image?.[2] ?? 1;
  const pixels = inputs / channels;
  const result = new Float32Array(data.length);
  for (let i = 0, from = 0; i < inputs; i++) {
    const to = (i % channels) * pixels + Math.floor(i / channels);
    for (let k = 0; k < outputs; k++) result[k * inputs + to] = data[from++]!;
  }
  return { shape: [outputs, inputs], data: result };
}

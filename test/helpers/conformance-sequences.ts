/** The oracles of layers along sequences: those of images of one row, of the same weights. */
import type { LayerOracle, LayerProblem } from './conformance-oracle.ts';

/** The oracles of layers on images, by type. */
type ImageOracles = Readonly<
  Record<
    | 'averagePooling2d'
    | 'conv2d'
    | 'conv2dTranspose'
    | 'globalAveragePooling2d'
    | 'globalMaxPooling2d'
    | 'maxPooling2d',
    LayerOracle
  >
>;

type Config = Readonly<Record<string, unknown>>;

/** Options with a count an axis, of which the rows' is 1. */
const COUNTS = ['kernelSize', 'strides', 'dilationRate', 'poolSize'];

function imageConfig(config: Config): Config {
  const pairs = COUNTS.filter((name) => name in config).map((name) => [name, [1, config[name]]]);
  return {
    ...config,
    ...Object.fromEntries(pairs),
    padding: imagePadding(config),
    flip: false,
    algorithm: 'direct',
  };
}

function imagePadding({ padding, kernelSize, dilationRate }: Config) {
  const none = { top: 0, right: 0, bottom: 0, left: 0 };
  if (padding === 'causal') return { ...none, left: (dilationRate as number) * ((kernelSize as number) - 1) };
  return typeof padding === 'object' ? { ...none, ...padding } : padding;
}

/** The oracle of an image's layer on sequences. A global pooling's output is a vector in both. */
function onRows(oracle: LayerOracle): LayerOracle {
  const asImage = (problem: LayerProblem): LayerProblem => {
    const { config, inputShape, outputShape } = problem;
    const row = (shape: readonly number[]) => (shape.length === 2 ? [1, ...shape] : shape);
    return {
      ...problem,
      config: imageConfig(config as Config),
      inputShape: row(inputShape),
      inputShapes: [row(inputShape)],
      outputShape: row(outputShape),
    };
  };
  return {
    exactUnit: (problem) => oracle.exactUnit?.(asImage(problem)),
    forward: (problem) => oracle.forward(asImage(problem)),
    backward: (problem, gradOutput) => oracle.backward(asImage(problem), gradOutput),
  };
}

export function sequenceOracles(images: ImageOracles): Readonly<Record<string, LayerOracle>> {
  return {
    averagePooling1d: onRows(images.averagePooling2d),
    conv1d: onRows(images.conv2d),
    conv1dTranspose: onRows(images.conv2dTranspose),
    globalAveragePooling1d: onRows(images.globalAveragePooling2d),
    globalMaxPooling1d: onRows(images.globalMaxPooling2d),
    maxPooling1d: onRows(images.maxPooling2d),
  };
}

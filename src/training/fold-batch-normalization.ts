/** Batch normalisations folded into the layers before them: a model for inference. */
import type { BatchNormalizationConfig } from '../layers/batch-normalization.ts';
import { type Fold, foldGraph } from '../model/fold.ts';
import type { Graph } from '../model/graph.ts';
import { Model } from './model.ts';
import type { ModelOptions } from './models.ts';
import type { Weight } from './state.ts';

type Weights = Readonly<Record<string, Weight>>;

/**
 * A new model that computes what `model` computes in inference, with fewer layers: a batch normalisation behind a linear
 * conv2d, depthwiseConv2d, separableConv2d or dense layer goes into its weights and bias, w * s and (b - mean) * s + beta with s = gamma /
 * sqrt(variance + epsilon), each computed in f64 and rounded once; a ReLU behind it into its activation. Layers that
 * stay keep their names; the folded ones are gone. What is read by two layers, or shared, stays as it is.
 *
 * Results are close to those of `model`, not the same bits: roundings happen in other places. To train on, keep `model`:
 * without its normalisations the new one learns differently. The two share nothing; each is closed by itself. Throws
 * StateError while a step of `model` is running.
 */
export function foldBatchNormalization(
  model: Model,
  { memoryLimit }: Pick<ModelOptions, 'memoryLimit'> = {},
): Model {
  const { graph, folds } = foldGraph(model.graph);
  const before = model.getWeights();
  const folded = new Model(graph, model.seed, model.numerics, memoryLimit);
  const weights: Record<string, Weight> = {};
  for (const [name, { shape }] of Object.entries(folded.getWeights())) {
    weights[name] = before[name] ?? { shape, data: new Float32Array(shape[0]!) };
  }
  for (const fold of folds) Object.assign(weights, foldedWeights(model.graph, before, fold));
  folded.setWeights(weights);
  folded.trainedOn = model.trainedOn;
  return folded;
}

/** Weight and bias of a layer that took in a normalisation. */
function foldedWeights(graph: Graph, before: Weights, { layer, weight, normalization }: Fold): Weights {
  const node = graph.nodes.find(({ layerName }) => layerName === normalization)!;
  const { epsilon } = node.layer.config as BatchNormalizationConfig;
  const of = (name: string) => before[`${normalization}/${name}`]?.data;
  const [mean, variance, gamma, beta] = ['movingMean', 'movingVariance', 'gamma', 'beta'].map(of);
  const channels = mean!.length;
  const scale = Float64Array.from(variance!, (value, c) => (gamma?.[c] ?? 1) / Math.sqrt(value + epsilon));
  const { shape, data } = before[`${layer}/${weight}`]!;
  const bias = before[`${layer}/bias`]?.data;
  const shift = Float32Array.from(scale, (s, c) => ((bias?.[c] ?? 0) - mean![c]!) * s + (beta?.[c] ?? 0));
  return {
    [`${layer}/${weight}`]: { shape, data: data.map((w, i) => w * scale[i % channels]!) },
    [`${layer}/bias`]: { shape: [channels], data: shift },
  };
}

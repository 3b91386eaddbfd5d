/** All kernel families by kind: adding one is a file beside this and a line here. */

import { activationBackwardFamily } from './activation-backward.ts';
import { activationForwardFamily } from './activation-forward.ts';
import { adagradFamily } from './adagrad.ts';
import { adamFamily } from './adam.ts';
import { addPenaltyFamily } from './add-penalty.ts';
import { affineWarpFamily } from './affine-warp.ts';
import { averagePoolBackwardFamily } from './average-pool-backward.ts';
import { averagePoolForwardFamily } from './average-pool-forward.ts';
import { averageViewsFamily } from './average-views.ts';
import { averageWeightsFamily } from './average-weights.ts';
import { batchNormBackwardFamily } from './batch-norm-backward.ts';
import { batchNormForwardFamily } from './batch-norm-forward.ts';
import { batchNormGradientsFamily } from './batch-norm-gradients.ts';
import { batchNormInferenceFamily } from './batch-norm-inference.ts';
import { batchNormStatisticsFamily } from './batch-norm-statistics.ts';
import { batchNormSumsFamily } from './batch-norm-sums.ts';
import { channelMomentsFamily } from './channel-moments.ts';
import { channelSum } from './channel-sum.ts';
import { checkFiniteFamily } from './check-finite.ts';
import { clampValuesFamily } from './clamp-values.ts';
import { clearViewFamily } from './clear-view.ts';
import { clipFactorFamily } from './clip-factor.ts';
import { conv2dForward } from './conv2d-forward.ts';
import { conv2dInputGradient } from './conv2d-input-gradient.ts';
import { packConv2d } from './conv2d-pack.ts';
import { conv2dWeightGradient } from './conv2d-weight-gradient.ts';
import { copyViewFamily } from './copy-view.ts';
import { denseForward } from './dense-forward.ts';
import { denseInputGradient } from './dense-input-gradient.ts';
import { packDense } from './dense-pack.ts';
import { denseWeightGradient } from './dense-weight-gradient.ts';
import { diceLossFamily } from './dice-loss.ts';
import { dropoutBackwardFamily } from './dropout-backward.ts';
import { dropoutForwardFamily } from './dropout-forward.ts';
import { dropoutMaskFamily } from './dropout-mask.ts';
import { elementLossFamily } from './element-loss.ts';
import { fillFamily } from './fill.ts';
import { gaussianNoiseFamily } from './gaussian-noise.ts';
import { groupNormBackwardFamily } from './group-norm-backward.ts';
import { groupNormGradientsFamily } from './group-norm-gradients.ts';
import { groupNormStatisticsFamily } from './group-norm-statistics.ts';
import type { KernelFamily } from './kernel.ts';
import { layerNormBackwardFamily } from './layer-norm-backward.ts';
import { layerNormForwardFamily } from './layer-norm-forward.ts';
import { lionFamily } from './lion.ts';
import { localResponseBackwardFamily } from './local-response-backward.ts';
import { localResponseForwardFamily } from './local-response-forward.ts';
import { lpPoolBackwardFamily } from './lp-pool-backward.ts';
import { lpPoolForwardFamily } from './lp-pool-forward.ts';
import { maxPoolBackwardFamily } from './max-pool-backward.ts';
import { maxPoolForwardFamily } from './max-pool-forward.ts';
import { maximumViewsFamily } from './maximum-views.ts';
import { maximumViewsBackwardFamily } from './maximum-views-backward.ts';
import { movingAverageFamily } from './moving-average.ts';
import { multiplyViewsFamily } from './multiply-views.ts';
import { normalizePixelsFamily } from './normalize-pixels.ts';
import { pixelCrossEntropyFamily } from './pixel-cross-entropy.ts';
import { poolSharesFamily } from './pool-shares.ts';
import { poolSharesBackwardFamily } from './pool-shares-backward.ts';
import { preluBackwardFamily } from './prelu-backward.ts';
import { preluForwardFamily } from './prelu-forward.ts';
import { reduceShardsFamily } from './reduce-shards.ts';
import { rmspropFamily } from './rmsprop.ts';
import { scaleByMaskFamily } from './scale-by-mask.ts';
import { scaleValuesFamily } from './scale-values.ts';
import { scaleViewFamily } from './scale-view.ts';
import { sgdFamily } from './sgd.ts';
import { softmaxBackwardFamily } from './softmax-backward.ts';
import { softmaxCrossEntropyFamily } from './softmax-cross-entropy.ts';
import { softmaxForwardFamily } from './softmax-forward.ts';
import { sumPowersFamily } from './sum-powers.ts';
import { winogradForward } from './winograd-forward.ts';
import { winogradWeightGradient } from './winograd-weight-gradient.ts';
import { winogradWeights } from './winograd-weights.ts';

// biome-ignore lint/suspicious/noExplicitAny: a table of families mixes specs of all kinds.
export const families: Readonly<Record<string, KernelFamily<any>>> = {
  activationBackward: activationBackwardFamily,
  activationForward: activationForwardFamily,
  adagrad: adagradFamily,
  adam: adamFamily,
  addPenalty: addPenaltyFamily,
  affineWarp: affineWarpFamily,
  averagePoolBackward: averagePoolBackwardFamily,
  averagePoolForward: averagePoolForwardFamily,
  averageViews: averageViewsFamily,
  averageWeights: averageWeightsFamily,
  batchNormBackward: batchNormBackwardFamily,
  batchNormForward: batchNormForwardFamily,
  batchNormGradients: batchNormGradientsFamily,
  batchNormInference: batchNormInferenceFamily,
  batchNormStatistics: batchNormStatisticsFamily,
  batchNormSums: batchNormSumsFamily,
  channelMoments: channelMomentsFamily,
  channelSum,
  clampValues: clampValuesFamily,
  clearView: clearViewFamily,
  checkFinite: checkFiniteFamily,
  clipFactor: clipFactorFamily,
  conv2dForward,
  conv2dInputGradient,
  diceLoss: diceLossFamily,
  elementLoss: elementLossFamily,
  lion: lionFamily,
  packConv2d,
  conv2dWeightGradient,
  copyView: copyViewFamily,
  denseForward,
  denseInputGradient,
  packDense,
  denseWeightGradient,
  dropoutBackward: dropoutBackwardFamily,
  dropoutForward: dropoutForwardFamily,
  dropoutMask: dropoutMaskFamily,
  fill: fillFamily,
  gaussianNoise: gaussianNoiseFamily,
  groupNormBackward: groupNormBackwardFamily,
  groupNormGradients: groupNormGradientsFamily,
  groupNormStatistics: groupNormStatisticsFamily,
  layerNormBackward: layerNormBackwardFamily,
  layerNormForward: layerNormForwardFamily,
  localResponseBackward: localResponseBackwardFamily,
  localResponseForward: localResponseForwardFamily,
  lpPoolBackward: lpPoolBackwardFamily,
  lpPoolForward: lpPoolForwardFamily,
  maxPoolBackward: maxPoolBackwardFamily,
  maxPoolForward: maxPoolForwardFamily,
  maximumViews: maximumViewsFamily,
  maximumViewsBackward: maximumViewsBackwardFamily,
  movingAverage: movingAverageFamily,
  multiplyViews: multiplyViewsFamily,
  normalizePixels: normalizePixelsFamily,
  poolShares: poolSharesFamily,
  poolSharesBackward: poolSharesBackwardFamily,
  pixelCrossEntropy: pixelCrossEntropyFamily,
  preluBackward: preluBackwardFamily,
  preluForward: preluForwardFamily,
  reduceShards: reduceShardsFamily,
  rmsprop: rmspropFamily,
  scaleByMask: scaleByMaskFamily,
  scaleValues: scaleValuesFamily,
  scaleView: scaleViewFamily,
  sgd: sgdFamily,
  softmaxBackward: softmaxBackwardFamily,
  softmaxCrossEntropy: softmaxCrossEntropyFamily,
  softmaxForward: softmaxForwardFamily,
  winogradForward,
  sumPowers: sumPowersFamily,
  winogradWeightGradient,
  winogradWeights,
};

/** All SIMD twins by kind: adding one is a file beside this and a line here. */

import { activationBackwardTwin } from './activation-backward.ts';
import { activationForwardTwin } from './activation-forward.ts';
import { adagradTwin } from './adagrad.ts';
import { adamTwin } from './adam.ts';
import { addPenaltyTwin } from './add-penalty.ts';
import { affineWarpTwin } from './affine-warp.ts';
import { averagePoolBackwardTwin } from './average-pool-backward.ts';
import { averagePoolForwardTwin } from './average-pool-forward.ts';
import { averageViewsTwin } from './average-views.ts';
import { averageWeightsTwin } from './average-weights.ts';
import { batchNormBackwardTwin } from './batch-norm-backward.ts';
import { batchNormForwardTwin } from './batch-norm-forward.ts';
import { batchNormSumsTwin } from './batch-norm-sums.ts';
import { channelMomentsTwin } from './channel-moments.ts';
import { channelSumTwin } from './channel-sum.ts';
import { checkFiniteTwin } from './check-finite.ts';
import { clampValuesTwin } from './clamp-values.ts';
import { clearViewTwin } from './clear-view.ts';
import { conv2dForwardTwin } from './conv2d-forward.ts';
import { conv2dInputGradientTwin } from './conv2d-input-gradient.ts';
import { packConv2dTwin } from './conv2d-pack.ts';
import { conv2dWeightGradientTwin } from './conv2d-weight-gradient.ts';
import { copyViewTwin } from './copy-view.ts';
import { denseForwardTwin } from './dense-forward.ts';
import { denseInputGradientTwin } from './dense-input-gradient.ts';
import { packDenseTwin } from './dense-pack.ts';
import { denseWeightGradientTwin } from './dense-weight-gradient.ts';
import { diceLossTwin } from './dice-loss.ts';
import { dropoutBackwardTwin } from './dropout-backward.ts';
import { dropoutForwardTwin } from './dropout-forward.ts';
import { dropoutMaskTwin } from './dropout-mask.ts';
import { elementLossTwin } from './element-loss.ts';
import { fillTwin } from './fill.ts';
import { gaussianNoiseTwin } from './gaussian-noise.ts';
import { groupNormBackwardTwin } from './group-norm-backward.ts';
import { layerNormBackwardTwin } from './layer-norm-backward.ts';
import { layerNormForwardTwin } from './layer-norm-forward.ts';
import { lionTwin } from './lion.ts';
import { localResponseBackwardTwin } from './local-response-backward.ts';
import { localResponseForwardTwin } from './local-response-forward.ts';
import { lpPoolBackwardTwin } from './lp-pool-backward.ts';
import { lpPoolForwardTwin } from './lp-pool-forward.ts';
import { maxPoolBackwardTwin } from './max-pool-backward.ts';
import { maxPoolForwardTwin } from './max-pool-forward.ts';
import { maximumViewsTwin } from './maximum-views.ts';
import { maximumViewsBackwardTwin } from './maximum-views-backward.ts';
import { multiplyViewsTwin } from './multiply-views.ts';
import { normalizePixelsTwin } from './normalize-pixels.ts';
import { pixelCrossEntropyTwin } from './pixel-cross-entropy.ts';
import { preluBackwardTwin } from './prelu-backward.ts';
import { preluForwardTwin } from './prelu-forward.ts';
import { reduceShardsTwin } from './reduce-shards.ts';
import { rmspropTwin } from './rmsprop.ts';
import { scaleByMaskTwin } from './scale-by-mask.ts';
import { scaleValuesTwin } from './scale-values.ts';
import { scaleViewTwin } from './scale-view.ts';
import { sgdTwin } from './sgd.ts';
import { softmaxBackwardTwin } from './softmax-backward.ts';
import { softmaxCrossEntropyTwin } from './softmax-cross-entropy.ts';
import { softmaxForwardTwin } from './softmax-forward.ts';
import { sumPowersTwin } from './sum-powers.ts';
import type { SimdTwin } from './twin.ts';
import { winogradForwardTwin } from './winograd-forward.ts';
import { winogradWeightGradientTwin } from './winograd-weight-gradient.ts';
import { winogradWeightsTwin } from './winograd-weights.ts';

// biome-ignore lint/suspicious/noExplicitAny: a table of families mixes specs of all kinds.
export const twins: Readonly<Record<string, SimdTwin<any>>> = {
  activationBackward: activationBackwardTwin,
  activationForward: activationForwardTwin,
  adagrad: adagradTwin,
  adam: adamTwin,
  addPenalty: addPenaltyTwin,
  affineWarp: affineWarpTwin,
  averagePoolBackward: averagePoolBackwardTwin,
  averagePoolForward: averagePoolForwardTwin,
  averageViews: averageViewsTwin,
  averageWeights: averageWeightsTwin,
  batchNormBackward: batchNormBackwardTwin,
  batchNormForward: batchNormForwardTwin,
  batchNormSums: batchNormSumsTwin,
  channelMoments: channelMomentsTwin,
  channelSum: channelSumTwin,
  clampValues: clampValuesTwin,
  clearView: clearViewTwin,
  checkFinite: checkFiniteTwin,
  conv2dForward: conv2dForwardTwin,
  conv2dInputGradient: conv2dInputGradientTwin,
  diceLoss: diceLossTwin,
  elementLoss: elementLossTwin,
  lion: lionTwin,
  packConv2d: packConv2dTwin,
  conv2dWeightGradient: conv2dWeightGradientTwin,
  copyView: copyViewTwin,
  denseForward: denseForwardTwin,
  denseInputGradient: denseInputGradientTwin,
  packDense: packDenseTwin,
  denseWeightGradient: denseWeightGradientTwin,
  dropoutBackward: dropoutBackwardTwin,
  dropoutForward: dropoutForwardTwin,
  dropoutMask: dropoutMaskTwin,
  fill: fillTwin,
  gaussianNoise: gaussianNoiseTwin,
  groupNormBackward: groupNormBackwardTwin,
  layerNormBackward: layerNormBackwardTwin,
  layerNormForward: layerNormForwardTwin,
  localResponseBackward: localResponseBackwardTwin,
  localResponseForward: localResponseForwardTwin,
  lpPoolBackward: lpPoolBackwardTwin,
  lpPoolForward: lpPoolForwardTwin,
  maxPoolBackward: maxPoolBackwardTwin,
  maxPoolForward: maxPoolForwardTwin,
  maximumViews: maximumViewsTwin,
  maximumViewsBackward: maximumViewsBackwardTwin,
  multiplyViews: multiplyViewsTwin,
  normalizePixels: normalizePixelsTwin,
  pixelCrossEntropy: pixelCrossEntropyTwin,
  preluBackward: preluBackwardTwin,
  preluForward: preluForwardTwin,
  reduceShards: reduceShardsTwin,
  rmsprop: rmspropTwin,
  scaleByMask: scaleByMaskTwin,
  scaleValues: scaleValuesTwin,
  scaleView: scaleViewTwin,
  sgd: sgdTwin,
  softmaxBackward: softmaxBackwardTwin,
  softmaxCrossEntropy: softmaxCrossEntropyTwin,
  softmaxForward: softmaxForwardTwin,
  winogradForward: winogradForwardTwin,
  sumPowers: sumPowersTwin,
  winogradWeightGradient: winogradWeightGradientTwin,
  winogradWeights: winogradWeightsTwin,
};

/** All layers of the package: adding one is a file beside this and a line here. */
import { activation } from './activation.ts';
import { adaptiveAveragePooling2d } from './adaptive-average-pooling2d.ts';
import { add } from './add.ts';
import { average } from './average.ts';
import { averagePooling1d } from './average-pooling1d.ts';
import { averagePooling2d } from './average-pooling2d.ts';
import { batchNormalization } from './batch-normalization.ts';
import { concatenate } from './concatenate.ts';
import { conv1d } from './conv1d.ts';
import { conv1dTranspose } from './conv1d-transpose.ts';
import { conv2d } from './conv2d.ts';
import { conv2dTranspose } from './conv2d-transpose.ts';
import { cropping2d } from './cropping2d.ts';
import { dense } from './dense.ts';
import { depthwiseConv2d } from './depthwise-conv2d.ts';
import { dropout } from './dropout.ts';
import { flatten } from './flatten.ts';
import { gaussianNoise } from './gaussian-noise.ts';
import { globalAveragePooling1d } from './global-average-pooling1d.ts';
import { globalAveragePooling2d } from './global-average-pooling2d.ts';
import { globalMaxPooling1d } from './global-max-pooling1d.ts';
import { globalMaxPooling2d } from './global-max-pooling2d.ts';
import { groupNormalization } from './group-normalization.ts';
import { identityShortcut } from './identity-shortcut.ts';
import { layerNormalization } from './layer-normalization.ts';
import { localResponseNormalization } from './local-response-normalization.ts';
import { locallyConnected1d } from './locally-connected1d.ts';
import { locallyConnected2d } from './locally-connected2d.ts';
import { lpPooling2d } from './lp-pooling2d.ts';
import { maxPooling1d } from './max-pooling1d.ts';
import { maxPooling2d } from './max-pooling2d.ts';
import { maximum } from './maximum.ts';
import { multiply } from './multiply.ts';
import { permute } from './permute.ts';
import { prelu } from './prelu.ts';
import { reflectionPadding2d } from './reflection-padding2d.ts';
import { reshape } from './reshape.ts';
import { separableConv2d } from './separable-conv2d.ts';
import { sliceChannels } from './slice-channels.ts';
import { spatialDropout2d } from './spatial-dropout2d.ts';
import { stochasticDepth } from './stochastic-depth.ts';
import { upSampling2d } from './up-sampling2d.ts';
import { weightedPooling2d } from './weighted-pooling2d.ts';
import { zeroPadding2d } from './zero-padding2d.ts';

/** What the conformance harness, files and documentation go through. */
export const layers = {
  activation,
  adaptiveAveragePooling2d,
  add,
  average,
  averagePooling1d,
  averagePooling2d,
  batchNormalization,
  concatenate,
  conv1d,
  conv1dTranspose,
  conv2d,
  conv2dTranspose,
  cropping2d,
  dense,
  depthwiseConv2d,
  dropout,
  flatten,
  gaussianNoise,
  globalAveragePooling1d,
  globalAveragePooling2d,
  globalMaxPooling1d,
  globalMaxPooling2d,
  groupNormalization,
  identityShortcut,
  layerNormalization,
  locallyConnected1d,
  locallyConnected2d,
  localResponseNormalization,
  lpPooling2d,
  maximum,
  maxPooling1d,
  maxPooling2d,
  multiply,
  permute,
  prelu,
  reflectionPadding2d,
  reshape,
  separableConv2d,
  sliceChannels,
  spatialDropout2d,
  stochasticDepth,
  upSampling2d,
  weightedPooling2d,
  zeroPadding2d,
} as const;

export {
  activation,
  adaptiveAveragePooling2d,
  add,
  average,
  averagePooling1d,
  averagePooling2d,
  batchNormalization,
  concatenate,
  conv1d,
  conv1dTranspose,
  conv2d,
  conv2dTranspose,
  cropping2d,
  dense,
  depthwiseConv2d,
  dropout,
  flatten,
  gaussianNoise,
  globalAveragePooling1d,
  globalAveragePooling2d,
  globalMaxPooling1d,
  globalMaxPooling2d,
  groupNormalization,
  identityShortcut,
  layerNormalization,
  locallyConnected1d,
  locallyConnected2d,
  localResponseNormalization,
  lpPooling2d,
  maximum,
  maxPooling1d,
  maxPooling2d,
  multiply,
  permute,
  prelu,
  reflectionPadding2d,
  reshape,
  separableConv2d,
  sliceChannels,
  spatialDropout2d,
  stochasticDepth,
  upSampling2d,
  weightedPooling2d,
  zeroPadding2d,
};

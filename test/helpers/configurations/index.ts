/**
 * Random configurations of each layer of the package, all of its options on small inputs, by the layer's type:
 * the suite tries 200 of each (test/layers/random-configurations.test.ts), the soak `gradients` thousands. A layer
 * that is missing here fails the check of types and the suite.
 */
import type fc from 'fast-check';
import type { layers } from '../../../src/layers/index.ts';
import type { Configuration } from '../conformance.ts';
import * as elements from './elements.ts';
import * as merging from './merging.ts';
import * as normalizations from './normalizations.ts';
import * as poolings from './poolings.ts';
import { sequenceConfigurations } from './sequences.ts';
import * as shortcuts from './shortcuts.ts';
import { spatialConfigurations } from './spatial.ts';
import * as weights from './weights.ts';

export const configurations: Readonly<Record<keyof typeof layers, fc.Arbitrary<Configuration>>> = {
  activation: elements.activationConfigurations,
  add: merging.addConfigurations,
  average: merging.averageConfigurations,
  averagePooling2d: poolings.averagePoolingConfigurations,
  batchNormalization: normalizations.batchNormalizationConfigurations,
  concatenate: merging.concatenateConfigurations,
  conv2d: weights.conv2dConfigurations,
  conv2dTranspose: weights.conv2dTransposeConfigurations,
  dense: weights.denseConfigurations,
  depthwiseConv2d: weights.depthwiseConv2dConfigurations,
  dropout: elements.dropoutConfigurations,
  flatten: elements.flattenConfigurations,
  gaussianNoise: elements.gaussianNoiseConfigurations,
  globalAveragePooling2d: poolings.globalAveragePoolingConfigurations,
  globalMaxPooling2d: poolings.globalMaxPoolingConfigurations,
  groupNormalization: normalizations.groupNormalizationConfigurations,
  identityShortcut: shortcuts.identityShortcutConfigurations,
  layerNormalization: normalizations.layerNormalizationConfigurations,
  localResponseNormalization: normalizations.localResponseNormalizationConfigurations,
  locallyConnected1d: weights.locallyConnected1dConfigurations,
  locallyConnected2d: weights.locallyConnected2dConfigurations,
  lpPooling2d: poolings.lpPoolingConfigurations,
  maximum: merging.maximumConfigurations,
  maxPooling2d: poolings.maxPoolingConfigurations,
  multiply: merging.multiplyConfigurations,
  prelu: elements.preluConfigurations,
  separableConv2d: weights.separableConv2dConfigurations,
  spatialDropout2d: elements.spatialDropout2dConfigurations,
  stochasticDepth: elements.stochasticDepthConfigurations,
  weightedPooling2d: poolings.weightedPoolingConfigurations,
  ...sequenceConfigurations,
  ...spatialConfigurations,
};

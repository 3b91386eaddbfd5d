/** What layers are without options: Keras 3's documented defaults, under its names; where there is no such layer, ours. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { layers } from '../../src/layers/index.ts';

const end = { activation: 'linear', useBias: true, biasInitializer: 'zeros' };
const weights = { ...end, kernelInitializer: 'glorotUniform' };
const depthwise = {
  kernelSize: 3,
  strides: 1,
  padding: 'valid',
  dilationRate: 1,
  depthMultiplier: 1,
  depthwiseInitializer: 'glorotUniform',
  ...end,
};
const normalization = {
  epsilon: 1e-3,
  center: true,
  scale: true,
  betaInitializer: 'zeros',
  gammaInitializer: 'ones',
};
const window = { strides: 1, padding: 'valid', dilationRate: 1, groups: 1, ...weights };
const pool = { poolSize: [2, 2], strides: [2, 2], padding: 'valid' };
const pool1d = { poolSize: 2, strides: 2, padding: 'valid' };
const sides = (pixels: number) => ({ top: pixels, right: pixels, bottom: pixels, left: pixels });
const filters = { filters: 4, kernelSize: 3 };

/** What must be given, and the defaults, by type. */
const DEFAULTS: Readonly<Record<string, readonly [required: object, defaults: object]>> = {
  activation: [{ function: 'relu' }, { alpha: 1 }],
  adaptiveAveragePooling2d: [{ outputSize: [2, 3] }, {}],
  add: [{}, {}],
  average: [{}, {}],
  averagePooling1d: [{}, { ...pool1d, countPadding: false }],
  averagePooling2d: [{}, { ...pool, countPadding: false }],
  batchNormalization: [
    {},
    {
      ...normalization,
      momentum: 0.99,
      movingMeanInitializer: 'zeros',
      movingVarianceInitializer: 'ones',
    },
  ],
  concatenate: [{}, { axis: -1 }],
  conv1d: [filters, window],
  conv1dTranspose: [filters, window],
  conv2d: [filters, { ...window, flip: false, algorithm: 'auto' }],
  conv2dTranspose: [filters, window],
  cropping2d: [{}, { cropping: sides(0) }],
  dense: [{ units: 3 }, weights],
  depthwiseConv2d: [{ kernelSize: 3 }, depthwise],
  dropout: [{ rate: 0.5 }, {}],
  flatten: [{}, {}],
  gaussianNoise: [{ stddev: 0.1 }, {}],
  globalAveragePooling1d: [{}, {}],
  globalAveragePooling2d: [{}, {}],
  globalMaxPooling1d: [{}, {}],
  globalMaxPooling2d: [{}, {}],
  groupNormalization: [{}, { ...normalization, groups: 32 }],
  identityShortcut: [{ filters: 4 }, { strides: [1, 1] }],
  layerNormalization: [{}, { ...normalization, axis: -1 }],
  locallyConnected1d: [filters, { strides: 1, ...weights }],
  locallyConnected2d: [filters, { strides: 1, ...weights }],
  localResponseNormalization: [{}, { depthRadius: 5, bias: 1, alpha: 1, beta: 0.5 }],
  lpPooling2d: [{}, { ...pool, p: 2 }],
  maximum: [{}, {}],
  maxPooling1d: [{}, pool1d],
  maxPooling2d: [{}, pool],
  multiply: [{}, {}],
  permute: [{ dims: [2, 1] }, {}],
  prelu: [{}, { alphaInitializer: 'zeros' }],
  reflectionPadding2d: [{}, { padding: sides(1) }],
  reshape: [{ targetShape: [-1] }, {}],
  separableConv2d: [filters, { ...depthwise, pointwiseInitializer: 'glorotUniform' }],
  sliceChannels: [{}, { start: 0 }],
  spatialDropout2d: [{ rate: 0.5 }, {}],
  stochasticDepth: [{}, { rate: 0.5 }],
  upSampling2d: [{}, { size: [2, 2], interpolation: 'nearest' }],
  weightedPooling2d: [{}, { ...pool, weights: 'learned', weightInitializer: 'zeros' }],
  zeroPadding2d: [{}, { padding: sides(1) }],
};

test('every layer has the defaults of Keras', () => {
  assert.deepEqual(Object.keys(DEFAULTS).sort(), Object.keys(layers).sort());
  for (const [type, [required, defaults]] of Object.entries(DEFAULTS)) {
    const make = layers[type as keyof typeof layers] as (options: object) => { readonly config: unknown };
    assert.deepEqual(make(required).config, { ...required, ...defaults }, type);
  }
});

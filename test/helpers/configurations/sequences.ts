/** Random configurations of layers that go along sequences. */
import fc from 'fast-check';
import {
  averagePooling1d,
  conv1d,
  conv1dTranspose,
  globalAveragePooling1d,
  globalMaxPooling1d,
  maxPooling1d,
} from '../../../src/layers/index.ts';
import { configurationsOf, sequenceShapes, weightOptions } from './draw.ts';

const count = (min: number, max: number) => fc.integer({ min, max });

/** A window, and a sequence that it fits: with 'valid' as long as the window at least. */
const windows = fc
  .record({
    kernelSize: count(1, 5),
    strides: count(1, 3),
    dilationRate: count(1, 3),
    groups: count(1, 3),
    inPerGroup: count(1, 3),
    outPerGroup: count(1, 4),
    more: count(0, 8),
    padding: fc.oneof(
      fc.constantFrom('same' as const, 'valid' as const, 'causal' as const),
      fc.record({ left: count(0, 3), right: count(0, 3) }),
    ),
  })
  .map(({ inPerGroup, outPerGroup, more, ...window }) => ({
    ...window,
    filters: window.groups * outPerGroup,
    inputShape: [
      window.dilationRate * (window.kernelSize - 1) + 1 + more,
      window.groups * inPerGroup,
    ] as const,
  }));

const conv1dConfigurations = configurationsOf(
  fc.tuple(windows, weightOptions),
  ([{ inputShape, ...window }, weights]) => ({ layer: conv1d({ ...window, ...weights }), inputShape }),
);

const conv1dTransposeConfigurations = configurationsOf(
  fc.tuple(windows, weightOptions, fc.option(count(0, 2))),
  ([{ inputShape, padding, ...window }, weights, outputPadding]) => {
    // Less padding than a step lays down, so that something remains.
    const reach = Math.floor((window.dilationRate * (window.kernelSize - 1)) / 2);
    const pixels = typeof padding === 'object' ? padding : { left: 0, right: 0 };
    const least = { left: Math.min(reach, pixels.left), right: Math.min(reach, pixels.right) };
    const options = padding === 'same' ? { padding } : { padding: padding === 'valid' ? padding : least };
    const extra =
      padding === 'same' || outputPadding === null ? {} : { outputPadding: outputPadding % window.strides };
    return { layer: conv1dTranspose({ ...window, ...options, ...extra, ...weights }), inputShape };
  },
);

/** Poolings whose every window has a step inside. */
const poolings = fc
  .record({
    poolSize: count(1, 4),
    strides: fc.option(count(1, 3)),
    padding: fc.oneof(
      fc.constantFrom('same' as const, 'valid' as const),
      fc.record({ left: count(0, 3), right: count(0, 3) }),
    ),
    more: count(0, 6),
    channels: count(1, 9),
  })
  .map(({ poolSize, strides, padding, more, channels }) => {
    const [left, right] = typeof padding === 'object' ? [padding.left, padding.right] : [0, 0];
    const within = { left: Math.min(left, poolSize - 1), right: Math.min(right, poolSize - 1) };
    const options = { poolSize, padding: typeof padding === 'object' ? within : padding };
    return {
      options: strides === null ? options : { ...options, strides },
      inputShape: [poolSize + more, channels] as const,
    };
  });

export const sequenceConfigurations = {
  averagePooling1d: configurationsOf(
    fc.tuple(poolings, fc.boolean()),
    ([{ options, inputShape }, countPadding]) => ({
      layer: averagePooling1d({ ...options, countPadding }),
      inputShape,
    }),
  ),
  conv1d: conv1dConfigurations,
  conv1dTranspose: conv1dTransposeConfigurations,
  globalAveragePooling1d: configurationsOf(sequenceShapes, (inputShape) => ({
    layer: globalAveragePooling1d(),
    inputShape,
  })),
  globalMaxPooling1d: configurationsOf(sequenceShapes, (inputShape) => ({
    layer: globalMaxPooling1d(),
    inputShape,
  })),
  maxPooling1d: configurationsOf(poolings, ({ options, inputShape }) => ({
    layer: maxPooling1d(options),
    inputShape,
  })),
};

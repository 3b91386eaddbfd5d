/** Random configurations of poolings. */
import fc from 'fast-check';
import {
  averagePooling2d,
  globalAveragePooling2d,
  globalMaxPooling2d,
  lpPooling2d,
  maxPooling2d,
  weightedPooling2d,
} from '../../../src/layers/index.ts';
import { poolCases } from '../pool-cases.ts';
import { configurationsOf, imageShapes } from './draw.ts';
import { paddingOf, paddings } from './windows.ts';

const poolings = poolCases(9).filter(({ geometry: g }) => g.kernelHeight <= 4 && g.kernelWidth <= 4);

/** Options and input of a pooling. */
const poolOptions = fc.tuple(poolings, paddings).map(([{ geometry: g }, padding]) => ({
  options: {
    poolSize: [g.kernelHeight, g.kernelWidth] as const,
    strides: [g.strideY, g.strideX] as const,
    padding: paddingOf(g, padding),
  },
  inputShape: [g.inHeight, g.inWidth, g.inChannels],
}));

export const maxPoolingConfigurations = configurationsOf(poolOptions, ({ options, inputShape }) => ({
  layer: maxPooling2d(options),
  inputShape,
}));

export const averagePoolingConfigurations = configurationsOf(
  fc.tuple(poolOptions, fc.boolean()),
  ([{ options, inputShape }, countPadding]) => ({
    layer: averagePooling2d({ ...options, countPadding }),
    inputShape,
  }),
);

export const globalAveragePoolingConfigurations = configurationsOf(imageShapes, (inputShape) => ({
  layer: globalAveragePooling2d(),
  inputShape,
}));

export const globalMaxPoolingConfigurations = configurationsOf(imageShapes, (inputShape) => ({
  layer: globalMaxPooling2d(),
  inputShape,
}));

export const lpPoolingConfigurations = configurationsOf(
  fc.tuple(poolOptions, fc.constantFrom(1, 1.5, 2, 3, 6)),
  ([{ options, inputShape }, p]) => ({ layer: lpPooling2d({ ...options, p }), inputShape }),
);

/** Learned weights, or positive ones of the window. */
export const weightedPoolingConfigurations = configurationsOf(
  fc.tuple(
    poolOptions,
    fc.boolean(),
    fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 16, maxLength: 16 }),
  ),
  ([{ options, inputShape }, learned, numbers]) => {
    const [rows, columns] = options.poolSize;
    const weights = Array.from({ length: rows }, (_, y) => numbers.slice(4 * y, 4 * y + columns));
    return { layer: weightedPooling2d(learned ? options : { ...options, weights }), inputShape };
  },
);

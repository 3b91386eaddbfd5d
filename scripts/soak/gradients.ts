/** Layers under random options: values and gradients within their bounds of f64, SIMD equal to scalar, and the rest. */
import fc from 'fast-check';
import { checkConformance } from '../../test/helpers/conformance.ts';
import * as arbitraries from '../../test/helpers/conformance-arbitraries.ts';
import { type Soak, trialSeed } from './soak.ts';

const subjects = [
  arbitraries.conv2dConfigurations,
  arbitraries.conv2dTransposeConfigurations,
  arbitraries.denseConfigurations,
  arbitraries.maxPoolingConfigurations,
  arbitraries.averagePoolingConfigurations,
  arbitraries.globalAveragePoolingConfigurations,
  arbitraries.activationConfigurations,
  arbitraries.preluConfigurations,
  arbitraries.dropoutConfigurations,
  arbitraries.flattenConfigurations,
];

export const gradients: Soak = {
  name: 'gradients',
  claim: 'layers with options: outputs and gradients within their bounds of f64, SIMD equal to scalar',
  unit: 'configurations',
  count: 10_000,
  start: ({ seed }) => ({
    trial(index) {
      const subject = subjects[index % subjects.length]!;
      checkConformance(fc.sample(subject, { numRuns: 1, seed: trialSeed(seed, index) })[0]!);
      return undefined;
    },
  }),
};

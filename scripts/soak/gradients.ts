/** Layers under random options: values and gradients within their bounds of f64, SIMD equal to scalar, and the rest. */
import fc from 'fast-check';
import { layers } from '../../src/layers/index.ts';
import { checkConformance } from '../../test/helpers/conformance.ts';
import { configurationsFor } from '../../test/helpers/conformance-random.ts';
import { type Soak, trialSeed } from './soak.ts';

export const gradients: Soak = {
  name: 'gradients',
  claim: 'layers with options: outputs and gradients within their bounds of f64, SIMD equal to scalar',
  unit: 'configurations',
  count: 10_000,
  start({ seed }) {
    const subjects = Object.keys(layers).map((type) => configurationsFor(type));
    return {
      trial(index) {
        const subject = subjects[index % subjects.length]!;
        const [tried] = fc.sample(subject, { numRuns: 1, seed: trialSeed(seed, index) });
        return { largest: { 'error/bound': checkConformance(tried!) } };
      },
    };
  },
};

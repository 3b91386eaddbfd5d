/** The adjoint property of convolution (the numerics' item 9), on random geometries. */
import fc from 'fast-check';
import { checkAdjoint } from '../../test/helpers/adjoint.ts';
import { convCases } from '../../test/helpers/arbitraries.ts';
import { type Soak, trialSeed } from './soak.ts';

export const adjoint: Soak = {
  name: 'adjoint',
  claim: '<Kx, y> = <x, K^T y> for every stride, dilation, padding and group',
  unit: 'configurations',
  count: 10_000,
  start({ seed }) {
    const cases = convCases();
    return {
      trial(index) {
        const [tried] = fc.sample(cases, { numRuns: 1, seed: trialSeed(seed, index) });
        return { largest: { 'error/bound': checkAdjoint(tried!) } };
      },
    };
  },
};

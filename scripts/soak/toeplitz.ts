/** The matrix of a convolution (the numerics' item 8), on random small geometries. */
import fc from 'fast-check';
import { checkMatrix, MATRIX_DOMAIN } from '../../test/helpers/adjoint.ts';
import { convCases } from '../../test/helpers/arbitraries.ts';
import { type Soak, trialSeed } from './soak.ts';

export const toeplitz: Soak = {
  name: 'toeplitz',
  claim: 'the matrix K built from basis vectors gives the forward pass and, transposed, the transposed one',
  unit: 'configurations',
  count: 10_000,
  start({ seed }) {
    const cases = convCases(MATRIX_DOMAIN);
    return {
      trial(index) {
        const [tried] = fc.sample(cases, { numRuns: 1, seed: trialSeed(seed, index) });
        return { largest: { 'error/bound': checkMatrix(tried!) } };
      },
    };
  },
};

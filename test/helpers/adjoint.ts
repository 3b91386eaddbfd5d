/** The two ways to say that a kernel's passes belong together: as adjoints, and as one matrix. */
import type { ConvCase } from './arbitraries.ts';
import { absolute, convForward, convInputGradient, dot } from './oracle.ts';
import { drawArrays, productCount } from './oracle-checks.ts';
import { directForward, directInputGradient } from './run-convolution.ts';
import { assertWithin, gamma, roundoffBounds } from './tolerance.ts';

/** <K x, y> = <x, K^T y>: throws unless it holds within the bound; returns error/bound. */
export function checkAdjoint(tried: ConvCase): number {
  const { geometry: g, count, flip } = tried;
  const { input: x, weight, gradOutput: y } = drawArrays(tried);
  const left = dot(directForward(g, x, weight, tried), y);
  const right = dot(x, directInputGradient(g, y, weight, tried));
  const size = dot(convForward(g, absolute(x), absolute(weight), count, { flip }), absolute(y));
  // The products with y and x are summed in f64, so no term for the length of the sums is due.
  const bound = (gamma(productCount('forward', tried)) + gamma(productCount('inputGradient', tried))) * size;
  return assertWithin([left], [right], [bound]);
}

/** K, [outputs][inputs], from the images of the basis vectors: exact, every sum has one product. */
export function matrixOf(tried: ConvCase, weight: Float32Array): Float32Array[] {
  const { geometry: g } = tried;
  const inputs = g.inHeight * g.inWidth * g.inChannels;
  const columns = Array.from({ length: inputs }, (_, i) => {
    const basis = new Float32Array(inputs);
    basis[i] = 1;
    return directForward(g, basis, weight, tried);
  });
  return Array.from(columns[0]!, (_, row) => Float32Array.from(columns, (column) => column[row]!));
}

/** Where basis vectors are images of their own, tried matrices have to be small. */
export const MATRIX_DOMAIN = { size: 5, groups: 2, inChannels: 2, outChannels: 2, count: 1 } as const;

/** K x is the forward pass, K^T y the transposed convolution: throws or returns the largest error/bound. */
export function checkMatrix(tried: ConvCase): number {
  const { geometry: g, flip } = tried;
  const { input, weight, gradOutput } = drawArrays(tried);
  const K = matrixOf(tried, weight);
  const Kx = K.map((row) => row.reduce((sum, value, i) => sum + value * input[i]!, 0));
  const KTy = Array.from(input, (_, i) => K.reduce((sum, row, o) => sum + row[i]! * gradOutput[o]!, 0));
  const sizes = [
    convForward(g, absolute(input), absolute(weight), 1, { flip }),
    convInputGradient(g, absolute(gradOutput), absolute(weight), 1, { flip }),
  ] as const;
  const bounds = (pass: 'forward' | 'inputGradient', size: Float64Array) =>
    roundoffBounds(productCount(pass, tried), size);
  return Math.max(
    assertWithin(directForward(g, input, weight, tried), Kx, bounds('forward', sizes[0])),
    assertWithin(directInputGradient(g, gradOutput, weight, tried), KTy, bounds('inputGradient', sizes[1])),
  );
}

/** The oracle of dense layers: naive f64 matrix products. Weights [in, out], samples in rows. */
import type { Values } from './oracle.ts';

/** What a dense layer's three passes need to know. */
export interface DenseShape {
  readonly inFeatures: number;
  readonly outFeatures: number;
}

/** Output [count, out] = input [count, in] * weight (+ bias). */
export function denseForward(
  { inFeatures, outFeatures }: DenseShape,
  input: Values,
  weight: Values,
  count: number,
  bias?: Values,
): Float64Array {
  const output = new Float64Array(count * outFeatures);
  for (let n = 0; n < count; n++) {
    for (let k = 0; k < outFeatures; k++) {
      let sum = bias?.[k] ?? 0;
      for (let c = 0; c < inFeatures; c++) sum += input[n * inFeatures + c]! * weight[c * outFeatures + k]!;
      output[n * outFeatures + k] = sum;
    }
  }
  return output;
}

/** Gradient of the input, [count, in] = gradOutput [count, out] * weight^T. */
export function denseInputGradient(
  { inFeatures, outFeatures }: DenseShape,
  gradOutput: Values,
  weight: Values,
  count: number,
): Float64Array {
  const gradInput = new Float64Array(count * inFeatures);
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < inFeatures; c++) {
      for (let k = 0; k < outFeatures; k++) {
        gradInput[n * inFeatures + c]! += gradOutput[n * outFeatures + k]! * weight[c * outFeatures + k]!;
      }
    }
  }
  return gradInput;
}

/** Gradient of the weights, [in, out] = input^T * gradOutput. */
export function denseWeightGradient(
  { inFeatures, outFeatures }: DenseShape,
  input: Values,
  gradOutput: Values,
  count: number,
): Float64Array {
  const gradWeight = new Float64Array(inFeatures * outFeatures);
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < inFeatures; c++) {
      for (let k = 0; k < outFeatures; k++) {
        gradWeight[c * outFeatures + k]! += input[n * inFeatures + c]! * gradOutput[n * outFeatures + k]!;
      }
    }
  }
  return gradWeight;
}

/**
 * Convolution as a matrix: the paper's equations 2.7 and 2.9, by the engine.
 *
 *     npx node examples/convolution-as-matrix.ts
 *
 * A convolution is linear, so it is a matrix K, whose columns are what the layer makes of the unit vectors. K^T is
 * the transposed convolution (2.8), and also what backpropagation multiplies a gradient by.
 */
import { conv2d, conv2dTranspose, type Layer, type Model, sequential } from 'faltung';

const k = [2, 3, 5];
const x = [1, 10, 100, 1000];

/** A layer on rows [1, length, 1] with the kernel k. */
function rowModel(length: number, layer: Layer): Model {
  const model = sequential({ inputShape: [1, length, 1] }, [layer]);
  model.setWeights({ 'layer/weight': k });
  return model;
}

async function apply(model: Model, input: readonly number[]): Promise<number[]> {
  return [...(await model.predict(Float32Array.from(input))).data];
}

/** The matrix of a model without bias, row by row. */
async function matrixOf(model: Model): Promise<number[][]> {
  const length = model.inputShape.reduce((product, size) => product * size, 1);
  const columns: number[][] = [];
  for (let i = 0; i < length; i++) {
    columns.push(
      await apply(
        model,
        Array.from({ length }, (_, j) => (i === j ? 1 : 0)),
      ),
    );
  }
  return transpose(columns);
}

const transpose = (matrix: number[][]) => matrix[0]!.map((_, i) => matrix.map((row) => row[i]!));
const times = (matrix: number[][], vector: readonly number[]) =>
  matrix.map((row) => row.reduce((sum, value, i) => sum + value * vector[i]!, 0));

function print(
  title: string,
  matrix: number[][],
  vector: readonly number[],
  result: readonly number[],
): void {
  console.log(`\n${title}`);
  const height = Math.max(matrix.length, vector.length);
  for (let i = 0; i < height; i++) {
    const row = matrix[i]?.map((value) => String(value).padStart(2)).join('') ?? '';
    const cells = [row.padEnd(2 * matrix[0]!.length + 1), String(vector[i] ?? '').padStart(5)];
    console.log(`  ${cells.join('   ')}${result[i] === undefined ? '' : `   -> ${result[i]}`}`);
  }
}

function check(what: string, one: readonly number[], other: readonly number[]): void {
  if (JSON.stringify(one) !== JSON.stringify(other)) throw new Error(`${what}: ${one} is not ${other}`);
  console.log(`  ${what}: equal`);
}

// Equation 2.7: a row with a zero at either end, six numbers, becomes four.
await using forward = rowModel(6, conv2d({ name: 'layer', filters: 1, kernelSize: [1, 3], useBias: false }));
const K = await matrixOf(forward);
const padded = [0, ...x, 0];
const y = await apply(forward, padded);
print('(2.7) k * x = K x, with k = (2, 3, 5)', K, padded, y);
check('the layer and K x', y, times(K, padded));

// Equation 2.9: K^T makes six numbers of four.
const options = { name: 'layer', filters: 1, kernelSize: [1, 3], useBias: false } as const;
await using backward = rowModel(4, conv2dTranspose(options));
const KT = await matrixOf(backward);
const z = await apply(backward, x);
print('(2.9) K^T x', KT, x, z);
check("conv2dTranspose's matrix and K^T", KT.flat(), transpose(K).flat());
check('the layer and K^T x', z, times(transpose(K), x));
console.log(
  `  The last row of K^T is (0, 0, 0, k3): the paper prints k1 there, and k1 x4 for ${k[2]! * x[3]!}.`,
);

// Strides leave rows out, so that K^T spreads its input: upsampling that is learned (section 2.5).
await using wide = rowModel(4, conv2dTranspose({ ...options, strides: [1, 2] }));
print('K^T with strides of 2', await matrixOf(wide), x, await apply(wide, x));

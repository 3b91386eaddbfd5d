/**
 * Pooling bears small shifts (the paper's section 2.2): a picture is moved by some pixels, and what pooling makes of
 * it changes less than the picture itself.
 *
 *     npx node examples/pooling-and-shifts.ts
 *
 * The picture's edges are found by a Sobel kernel, as a convolution of a trained network would find them, then pooled.
 * Printed is the correlation with what came out before the shift: 1 is the same, 0 unrelated.
 */
import { averagePooling2d, conv2d, type Layer, maxPooling2d, sequential } from 'faltung';
import { drawScene } from './drawing.ts';

const SIZE = 96;
const MARGIN = 16;
const SHIFTS = [0, 1, 2, 3, 4, 6, 8];

/** The scene in grey, 0 to 1, its middle [SIZE, SIZE, 1] seen from `shift` pixels further left. */
const whole = SIZE + 2 * MARGIN;
const scene = drawScene(whole);
function seen(shift: number): Float32Array {
  return Float32Array.from({ length: SIZE * SIZE }, (_, i) => {
    const [y, x] = [Math.floor(i / SIZE) + MARGIN, (i % SIZE) + MARGIN - shift];
    const at = 3 * (y * whole + x);
    return (scene[at]! + scene[at + 1]! + scene[at + 2]!) / 765;
  });
}

/** Pearson's correlation. */
function correlation(a: Float32Array, b: Float32Array): number {
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    const [x, y] = [value - meanA, b[i]! - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  });
  return ab / Math.sqrt(aa * bb);
}

const poolings: readonly (readonly [name: string, layers: readonly Layer[]])[] = [
  ['no pooling', []],
  ['max 2 x 2', [maxPooling2d({ poolSize: 2 })]],
  ['max 4 x 4', [maxPooling2d({ poolSize: 4 })]],
  ['max 8 x 8', [maxPooling2d({ poolSize: 8 })]],
  ['average 4 x 4', [averagePooling2d({ poolSize: 4 })]],
];

const columns = SHIFTS.map((shift) => `${shift} px`.padStart(7)).join('');
console.log(`${'Shifted by'.padEnd(16)}${columns}   numbers`);
for (const [name, layers] of poolings) {
  const sobel = conv2d({
    name: 'sobel',
    filters: 1,
    kernelSize: 3,
    padding: 'same',
    useBias: false,
    activation: 'relu',
  });
  await using model = sequential({ inputShape: [SIZE, SIZE, 1] }, [sobel, ...layers]);
  model.setWeights({ 'sobel/weight': [-1, 0, 1, -2, 0, 2, -1, 0, 1] });
  const outputs: Float32Array[] = [];
  for (const shift of SHIFTS) outputs.push((await model.predict(seen(shift), { threads: 1 })).data);
  const row = outputs.map((output) => correlation(outputs[0]!, output).toFixed(2).padStart(7)).join('');
  console.log(`${name.padEnd(16)}${row}   ${outputs[0]!.length}`);
}
console.log(
  '\nThe wider the window, the less a shift of a pixel or two is seen, and the fewer numbers are left.',
);

/**
 * What the scalar contractions over packed weights share: the running sums of four neighbouring outputs
 * (a quad), started, carried over the taps and stored. Offsets are in elements.
 */

/** What a contraction may apply to its result: nothing, or x < 0 ? 0 : x (which keeps NaN and -0). */
export type FusedActivation = 'linear' | 'relu';

const f = Math.fround;

/** Starts `lanes` sums at f32[from...], or all at +0 where `from` is negative. */
export function startQuad(f32: Float32Array, sums: Float32Array, from: number, lanes: number): void {
  for (let lane = 0; lane < 4; lane++) sums[lane] = from < 0 || lane >= lanes ? 0 : f32[from + lane]!;
}

/**
 * Adds one tap: sums[lane] += x[i] * w[i*width + lane] for i ascending below `inner`, each product and
 * each sum rounded to f32. With `block`, every `block` products are summed from +0 on and that sum is added.
 */
export function addTap(
  f32: Float32Array,
  sums: Float32Array,
  x: number,
  w: number,
  inner: number,
  width: number,
  block?: number,
): void {
  if (block === undefined) {
    addProducts(f32, sums, x, w, inner, width);
    return;
  }
  const part = new Float32Array(4);
  for (let from = 0; from < inner; from += block) {
    part.fill(0);
    addProducts(f32, part, x + from, w + from * width, Math.min(block, inner - from), width);
    for (let lane = 0; lane < 4; lane++) sums[lane] = f(sums[lane]! + part[lane]!);
  }
}

function addProducts(
  f32: Float32Array,
  sums: Float32Array,
  x: number,
  w: number,
  inner: number,
  width: number,
): void {
  let a0 = sums[0]!;
  let a1 = sums[1]!;
  let a2 = sums[2]!;
  let a3 = sums[3]!;
  for (let i = x; i < x + inner; i++) {
    const value = f32[i]!;
    a0 = f(a0 + f(value * f32[w]!));
    a1 = f(a1 + f(value * f32[w + 1]!));
    a2 = f(a2 + f(value * f32[w + 2]!));
    a3 = f(a3 + f(value * f32[w + 3]!));
    w += width;
  }
  sums[0] = a0;
  sums[1] = a1;
  sums[2] = a2;
  sums[3] = a3;
}

/** Stores the first `lanes` sums to f32[to...] through the activation. */
export function storeQuad(
  f32: Float32Array,
  sums: Float32Array,
  to: number,
  lanes: number,
  activation: FusedActivation,
): void {
  for (let lane = 0; lane < lanes; lane++) {
    const sum = sums[lane]!;
    f32[to + lane] = activation === 'relu' && sum < 0 ? 0 : sum;
  }
}

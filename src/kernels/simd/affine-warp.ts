/**
 * The SIMD twin of affine-warp.ts. Both coordinates of a pixel lie in lanes 0 (x) and 1 (y) of one vector; its
 * channels are interpolated four at a time, the last one to three together, and no tap reads beyond its pixel.
 */
import { type AffineWarpSpec, affineWarpFamily, checkAffineWarp } from '../affine-warp.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { repeat } from './micro-loops.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

/** Added to a whole f32 below 2^23, this leaves the number in the lower 23 bits. */
const WHOLE_MAGIC = 2 ** 23;
const WHOLE_MASK = 2 ** 23 - 1;

export const affineWarpTwin: SimdTwin<AffineWarpSpec> = {
  kind: 'affineWarp',
  emit(spec) {
    checkAffineWarp(spec);
    const { input, output } = spec;
    const b = twinFunction(affineWarpFamily, spec);
    const target = b.param('output');
    const matrices = b.param('matrices');
    const [byX, byY, offset] = b.localArray('v128', 3, 'matrix') as [Local, Local, Local];
    const [x, y, ofRow] = b.localArray('v128', 3, 'output') as [Local, Local, Local];
    const emitPixel = bindPixel(b, spec);
    const next = (coordinate: Local) => b.get(coordinate).f32x4(1).op('f32x4.add').set(coordinate);
    repeat(b, b.param('count'), () => {
      [byX, byY, offset].forEach((column, i) => {
        b.get(matrices)
          .get(matrices)
          .memory('v128.load32_zero', 4 * i);
        b.memoryLane('v128.load32_lane', 1, 4 * (i + 3)).set(column);
      });
      b.f32x4(0).set(y);
      repeat(b, output.height, () => {
        b.get(byY).get(y).op('f32x4.mul').set(ofRow);
        b.f32x4(0).set(x);
        repeat(b, output.width, () => {
          b.get(byX).get(x).op('f32x4.mul').get(ofRow).op('f32x4.add').get(offset).op('f32x4.add');
          emitPixel();
          next(x);
          b.advance(target, 4 * output.pixelStride);
        });
        next(y);
        b.advance(target, 4 * (output.rowStride - output.width * output.pixelStride));
      });
      b.advance(target, 4 * (output.imageStride - output.height * output.rowStride));
      b.advance(b.param('input'), 4 * input.imageStride);
      b.advance(matrices, 24);
    });
    return b;
  },
};

/** The emitter of one pixel: pops the vector of its coordinates in the input, writes it to the output. */
function bindPixel(b: FunctionBuilder, { input }: AffineWarpSpec): () => void {
  const { width, height, channels, pixelStride, rowStride } = input;
  const [most, strides, position, whole] = b.localArray('v128', 4, 'position') as [
    Local,
    Local,
    Local,
    Local,
  ];
  const [fx, fy] = b.localArray('v128', 2, 'weight') as [Local, Local];
  const taps = b.localArray('i32', 4, 'tap');
  const emitChannels = bindChannels(b, channels, taps, fx, fy);
  b.f32x4(height - 1)
    .f32(width - 1)
    .lane('f32x4.replace_lane', 0)
    .set(most);
  b.i32x4([4 * pixelStride, 4 * rowStride, 0, 0]).set(strides);
  return () => {
    b.set(position);
    // pmax and pmin keep the first operand unless the second is greater, or less: NaN becomes 0.
    b.get(most).f32x4(0).get(position).op('f32x4.pmax').op('f32x4.pmin').tee(position);
    b.op('f32x4.floor').set(whole).get(position).get(whole).op('f32x4.sub').set(position);
    b.get(position).get(position).shuffleLanes([0, 0, 0, 0]).set(fx);
    b.get(position).get(position).shuffleLanes([1, 1, 1, 1]).set(fy);
    emitTaps(b, taps, whole, most, strides);
    emitChannels();
  };
}

/** Sets the addresses of the four taps, in the order of reading, from the whole parts of the coordinates. */
function emitTaps(
  b: FunctionBuilder,
  taps: readonly Local[],
  whole: Local,
  most: Local,
  strides: Local,
): void {
  const [corner, right, below, across] = taps as [Local, Local, Local, Local];
  const index = b.local('v128', 'index');
  b.get(whole).f32x4(WHOLE_MAGIC).op('f32x4.add');
  b.i32x4([WHOLE_MASK, WHOLE_MASK, 0, 0]).op('v128.and').get(strides).op('i32x4.mul').set(index);
  b.get(b.param('input'));
  for (const lane of [0, 1]) b.get(index).lane('i32x4.extract_lane', lane).op('i32.add');
  b.set(corner);
  // The step to the next pixel or row; none on the last one.
  b.get(whole).get(most).op('f32x4.lt').get(strides).op('v128.and').set(index);
  b.get(corner).get(index).lane('i32x4.extract_lane', 1).op('i32.add').set(below);
  for (const [from, to] of [
    [corner, right],
    [below, across],
  ] as const) {
    b.get(from).get(index).lane('i32x4.extract_lane', 0).op('i32.add').set(to);
  }
}

/** The emitter of the interpolation in all channels, from the taps to the output. */
function bindChannels(
  b: FunctionBuilder,
  channels: number,
  taps: readonly Local[],
  fx: Local,
  fy: Local,
): () => void {
  const to = b.local('i32', 'to');
  const values = b.localArray('v128', 4, 'value') as [Local, Local, Local, Local];
  /** a = a + (b - a) * weight. */
  const lerp = (left: Local, right: Local, weight: Local) => {
    b.get(left).get(right).get(left).op('f32x4.sub').get(weight).op('f32x4.mul').op('f32x4.add').set(left);
  };
  const group = (lanes: number) => {
    taps.forEach((tap, i) => {
      loadLanes(b, tap, lanes);
      b.set(values[i]!);
    });
    const [top, topRight, bottom, bottomRight] = values;
    lerp(top, topRight, fx);
    lerp(bottom, bottomRight, fx);
    lerp(top, bottom, fy);
    storeLanes(b, to, lanes, top);
  };
  const quads = Math.floor(channels / 4);
  return () => {
    b.get(b.param('output')).set(to);
    if (quads > 0) {
      repeat(b, quads, () => {
        group(4);
        for (const pointer of [...taps, to]) b.advance(pointer, 16);
      });
    }
    if (channels % 4 > 0) group(channels % 4);
  };
}

/** Pushes the first `lanes` floats at a pointer. */
function loadLanes(b: FunctionBuilder, pointer: Local, lanes: number): void {
  if (lanes === 3) b.get(pointer);
  b.get(pointer);
  b.memory(lanes === 4 ? 'v128.load' : lanes === 1 ? 'v128.load32_zero' : 'v128.load64_zero');
  if (lanes === 3) b.memoryLane('v128.load32_lane', 2, 8);
}

/** Stores the first `lanes` floats of a vector at a pointer. */
function storeLanes(b: FunctionBuilder, pointer: Local, lanes: number, value: Local): void {
  if (lanes === 4) b.get(pointer).get(value).memory('v128.store');
  if (lanes === 2 || lanes === 3) b.get(pointer).get(value).memoryLane('v128.store64_lane', 0);
  if (lanes === 1 || lanes === 3) {
    b.get(pointer)
      .get(value)
      .memoryLane('v128.store32_lane', lanes - 1, lanes === 3 ? 8 : 0);
  }
}

/**
 * The SIMD twin of normalize-pixels.ts. A row is worked through in vectors over its consecutive elements. The
 * constants of 'standardize' repeat after a block of lcm(C, 4) elements, which becomes straight code; with so
 * many channels that it would be long, the scalar kernel serves.
 */
import { hasContiguousRows } from '../../tensor/view.ts';
import { channelConstants, type NormalizePixelsSpec, normalizePixelsFamily } from '../normalize-pixels.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { repeat } from './micro-loops.ts';
import { type Part, storePart } from './run.ts';
import { type SimdTwin, twinFunction } from './twin.ts';

/** Longest block, in elements. */
const LONGEST_BLOCK = 128;
/** The block where all elements are treated alike. */
const PLAIN_BLOCK = 16;

const BITS = new Int32Array(1);
const FLOATS = new Float32Array(BITS.buffer);

export const normalizePixelsTwin: SimdTwin<NormalizePixelsSpec> = {
  kind: 'normalizePixels',
  emit(spec) {
    const { height, width, channels, pixelStride, rowStride, imageStride } = spec.output;
    const block = spec.mode === 'standardize' ? leastCommonMultiple(channels, 4) : PLAIN_BLOCK;
    if (block > LONGEST_BLOCK) return undefined;
    const b = twinFunction(normalizePixelsFamily, spec);
    const output = b.param('output');
    const gaplessRow = width === 1 || hasContiguousRows(spec.output);
    const emitElements = spec.mode === 'l2Rows' ? elementsByColumn(b, spec) : elementsByBlock(b, spec, block);
    const emitRow = () => {
      if (gaplessRow) emitElements(width * channels);
      else {
        repeat(b, width, () => {
          emitElements(channels);
          b.advance(output, 4 * (pixelStride - channels));
        });
      }
    };
    const rowSpan = width * (gaplessRow ? channels : pixelStride);
    repeat(b, b.param('count'), () => {
      if (spec.mode === 'l2Rows') {
        // A pass over the first row does whole columns.
        emitRow();
        b.advance(b.param('pixels'), (height - 1) * width * channels * pixelBytes(spec));
        b.advance(output, 4 * (imageStride - rowSpan));
      } else {
        repeat(b, height, () => {
          emitRow();
          b.advance(output, 4 * (rowStride - rowSpan));
        });
        b.advance(output, 4 * (imageStride - height * rowStride));
      }
    });
    return b;
  },
};

/** Emits the work on `length` consecutive elements; the pointers lie behind them at the end. */
type EmitElements = (length: number) => void;

function elementsByBlock(b: FunctionBuilder, spec: NormalizePixelsSpec, block: number): EmitElements {
  const pixels = b.param('pixels');
  const output = b.param('output');
  const value = b.local('v128', 'value');
  const { factor, shift } = channelConstants(spec);
  const straight = (length: number) => {
    for (let element = 0; element < length; ) {
      const lanes = length - element >= 4 ? 4 : 1;
      loadPixels(b, spec, pixels, element, lanes);
      if (spec.mode === 'scale') b.f32x4(255).op('f32x4.div');
      if (spec.mode === 'standardize') {
        pushPattern(b, factor, element).op('f32x4.mul');
        pushPattern(b, shift, element).op('f32x4.add');
      }
      b.set(value);
      storePart(b, output, { offset: 4 * element, lanes }, value);
      element += lanes;
    }
    b.advance(pixels, length * pixelBytes(spec));
    b.advance(output, 4 * length);
  };
  return (length) => {
    if (length >= block) repeat(b, Math.floor(length / block), () => straight(block));
    straight(length % block);
  };
}

function elementsByColumn(b: FunctionBuilder, spec: NormalizePixelsSpec): EmitElements {
  const pixels = b.param('pixels');
  const output = b.param('output');
  const columns = (lanes: Part['lanes']) => {
    emitColumns(b, spec, lanes);
    b.advance(pixels, lanes * pixelBytes(spec));
    b.advance(output, 4 * lanes);
  };
  return (length) => {
    if (length >= 4) repeat(b, Math.floor(length / 4), () => columns(4));
    if (length % 4 > 0) repeat(b, length % 4, () => columns(1));
  };
}

/** Divides columns, side by side, by their norms. */
function emitColumns(b: FunctionBuilder, spec: NormalizePixelsSpec, lanes: Part['lanes']): void {
  const { height, width, channels, rowStride } = spec.output;
  const from = b.local('i32', 'from');
  const to = b.local('i32', 'to');
  const value = b.local('v128', 'value');
  const root = b.local('v128', 'root');
  const sums = b.localArray('v128', 2, 'sum');
  const half = b.local('v128', 'half');
  const nextRow = () => b.advance(from, width * channels * pixelBytes(spec));
  b.get(b.param('pixels')).set(from);
  for (const sum of sums) b.f64x2(0).set(sum);
  repeat(b, height, () => {
    loadPixels(b, spec, from, 0, lanes).set(value);
    sums.forEach((sum, i) => {
      b.get(value);
      if (i === 1) b.get(value).shuffleLanes([2, 3, 2, 3]);
      b.op('f64x2.promote_low_f32x4').set(half);
      b.get(sum).get(half).get(half).op('f64x2.mul').op('f64x2.add').set(sum);
    });
    nextRow();
  });
  for (const sum of sums) b.get(sum).op('f64x2.sqrt').op('f32x4.demote_f64x2_zero');
  b.shuffleLanes([0, 1, 4, 5]).set(root);
  // The sum of squares of f32 is 0 or at least 2^-298: its root is 0 just where the sum is.
  b.f32x4(1).get(root).get(root).f32x4(0).op('f32x4.eq').op('v128.bitselect').set(root);
  b.get(b.param('pixels')).set(from).get(b.param('output')).set(to);
  repeat(b, height, () => {
    loadPixels(b, spec, from, 0, lanes).get(root).op('f32x4.div').set(value);
    storePart(b, to, { offset: 0, lanes }, value);
    nextRow();
    b.advance(to, 4 * rowStride);
  });
}

/** Pushes one or four pixels as f32, `element` elements from the pointer. */
function loadPixels(
  b: FunctionBuilder,
  spec: NormalizePixelsSpec,
  pointer: Local,
  element: number,
  lanes: Part['lanes'],
): FunctionBuilder {
  const offset = element * pixelBytes(spec);
  b.get(pointer);
  if (spec.inputType === 'float32') return b.memory(lanes === 4 ? 'v128.load' : 'v128.load32_zero', offset);
  b.memory(lanes === 4 ? 'v128.load32_zero' : 'v128.load8_splat', offset);
  return b.op('i16x8.extend_low_i8x16_u').op('i32x4.extend_low_i16x8_u').op('f32x4.convert_i32x4_s');
}

/** Pushes four consecutive entries of a list that repeats for ever, from `start` on. */
function pushPattern(b: FunctionBuilder, list: readonly number[], start: number): FunctionBuilder {
  const bits = (lane: number) => {
    FLOATS[0] = list[(start + lane) % list.length]!;
    return BITS[0]!;
  };
  return b.i32x4([bits(0), bits(1), bits(2), bits(3)]);
}

function pixelBytes({ inputType }: NormalizePixelsSpec): number {
  return inputType === 'uint8' ? 1 : 4;
}

function leastCommonMultiple(a: number, b: number): number {
  let multiple = a;
  while (multiple % b !== 0) multiple += a;
  return multiple;
}

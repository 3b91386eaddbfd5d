/**
 * The micro-kernel alone: a tile of rows x lanes sums, operands in the first-level cache, no convolution around
 * it. The best tile's rate is what all kernels are compared with.
 *
 *   sum[row][lane] += splat[row][i] * vector[i][lane]    for PASSES passes i, then the sums are stored
 */
import { heapOf, type KernelFunction } from '../src/kernels/kernel.ts';
import { FunctionBuilder } from '../src/kernels/simd/assembler/index.ts';
import { repeat } from '../src/kernels/simd/micro-loops.ts';
import { declareTile, reduceTile, startTile, storeTile } from '../src/kernels/simd/micro-tile.ts';
import { canCompileWide, targetFor } from '../src/parallel/compile.ts';
import { compileFunctions } from './wide-code.ts';

/** Rows and lanes. */
export type TileShape = readonly [rows: number, lanes: number];

/** A tile ready to be timed. */
export interface TileKernel {
  /** '4x16'. */
  readonly name: string;
  readonly bits: 128 | 256;
  /** Floating-point operations of a run. */
  readonly flops: number;
  run(): void;
}

/** Tiles as 256-bit code: 8 registers of sums, and shapes with fewer or more for comparison. */
const WIDE_SHAPES: readonly TileShape[] = [
  [4, 16],
  [2, 16],
  [3, 16],
  [4, 12],
  [8, 8],
  [6, 8],
  [4, 8],
];
/** Tiles as 128-bit code. */
const NARROW_SHAPES: readonly TileShape[] = [
  [2, 16],
  [2, 12],
  [4, 8],
  [8, 4],
  [4, 4],
];

/** Passes of the inner sum, as in a 3x3 convolution over 32 channels: 18 KiB of weights at 16 lanes. */
const PASSES = 288;
/** Tiles a run: about a tenth of a millisecond. */
const TILES = 256;
const MOST_ROWS = 8;
const MOST_LANES = 16;

/** All tiles that this Node can compile, 256-bit ones first. */
export function compileTiles(): TileKernel[] {
  return [...(canCompileWide() ? tilesOf(WIDE_SHAPES, 256) : []), ...tilesOf(NARROW_SHAPES, 128)];
}

function tilesOf(shapes: readonly TileShape[], bits: 128 | 256): TileKernel[] {
  const at = { splat: 64, vector: 64 + 4 * PASSES * MOST_ROWS };
  const output = at.vector + 4 * PASSES * MOST_LANES;
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
  const { f32 } = heapOf(memory.buffer);
  for (let i = 0; i < output / 4; i++) f32[i] = ((i % 61) - 30) / 64;
  const functions = shapes.map((shape) => emitTile(shape, bits));
  const kernels: KernelFunction[] = compileFunctions(functions, memory, bits);
  return shapes.map(([rows, lanes], i) => ({
    name: `${rows}x${lanes}`,
    bits,
    flops: 2 * rows * lanes * PASSES * TILES,
    run: () => kernels[i]!(at.splat, at.vector, output, TILES),
  }));
}

function emitTile([rows, lanes]: TileShape, bits: 128 | 256): FunctionBuilder {
  const target = targetFor(bits === 256);
  const b = new FunctionBuilder(`tile${rows}x${lanes}`, [
    ['splat', 'i32'],
    ['vector', 'i32'],
    ['output', 'i32'],
    ['count', 'i32'],
  ]);
  const tile = declareTile(b, rows, lanes);
  const rowsApart = (bytes: number) => Array.from({ length: rows }, (_, row) => row * bytes);
  const [splat, vector, output] = ['splat', 'vector', 'output'].map((name) => b.param(name));
  const factors = { splat: splat!, vector: vector!, rowOffsets: rowsApart(4 * PASSES), padded: true };
  repeat(b, b.param('count'), () => {
    startTile(b, tile, { kind: 'zero' });
    reduceTile(b, tile, factors, [{ count: PASSES, splat: 4, vector: 4 * lanes }], target);
    storeTile(b, tile, output!, rowsApart(4 * MOST_LANES), false);
  });
  return b;
}

/**
 * The micro-kernel of all contractions: a tile of rows x lanes running sums held in registers.
 *
 *   sum[row][lane] = sum[row][lane] + splat[row] * vector[lane]     for each pass of the reduction
 *
 * `splat` values are single floats at a constant offset a row from one pointer, `vector` are consecutive
 * floats at another. Product and sum are rounded separately, in the order of the passes: the same bits
 * for every shape of tile. Vectors are handled in adjacent pairs, which V8's revectorization fuses to 256 bits.
 */
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { type Level, repeat, type Steps } from './micro-loops.ts';
import type { Target } from './twin.ts';

/** Passes unrolled in the inner loop. Node 20 spills sums when a loop is unrolled at all. */
const UNROLL = { pairs: 8, single: 1 } as const;

/** A tile while it is being emitted. */
export interface Tile {
  readonly sums: readonly (readonly Local[])[];
  /** Lanes in use of the last vector, 1 to 4. */
  readonly lastLanes: number;
  /** One local a vector, and one for the broadcast value. */
  readonly vectors: readonly Local[];
  readonly splat: Local;
}

/** The most rows of a tile of `lanes` outputs whose sums all stay in registers (one spilled sum halves the rate). */
export function tileRows(lanes: number, target: Target): number {
  const vectors = Math.ceil(lanes / 4);
  // A pair shares a register, and a vector without a partner takes a whole one.
  const taken = target.pairs ? 2 * Math.ceil(vectors / 2) : vectors;
  return Math.max(1, Math.floor(target.accumulators / taken));
}

/** Declares the locals of a tile of `rows` x `lanes` outputs. */
export function declareTile(b: FunctionBuilder, rows: number, lanes: number): Tile {
  const count = Math.ceil(lanes / 4);
  return {
    sums: Array.from({ length: rows }, (_, row) => b.localArray('v128', count, `sum${row}_`)),
    lastLanes: lanes - (count - 1) * 4,
    vectors: b.localArray('v128', count, 'vector'),
    splat: b.local('v128', 'splat'),
  };
}

/** Where the sums start: at zero, at one vector for all rows (a bias), or at each row's own values. */
export type TileStart =
  | { readonly kind: 'zero' }
  | { readonly kind: 'shared'; readonly at: Local }
  | { readonly kind: 'rows'; readonly at: Local; readonly offsets: readonly number[] };

/** Sets the sums to their start. */
export function startTile(b: FunctionBuilder, tile: Tile, start: TileStart): void {
  tile.sums.forEach((sums, row) => {
    sums.forEach((sum, v) => {
      if (start.kind === 'zero') b.f32x4(0);
      else {
        const offset = start.kind === 'rows' ? start.offsets[row]! : 0;
        loadLanes(b, start.at, offset + 16 * v, lanesOf(tile, v));
      }
      b.set(sum);
    });
  });
}

/** Adds each sum to the row's value in memory: value + sum. */
export function addToTile(b: FunctionBuilder, tile: Tile, at: Local, offsets: readonly number[]): void {
  tile.sums.forEach((sums, row) => {
    sums.forEach((sum, v) => {
      loadLanes(b, at, offsets[row]! + 16 * v, lanesOf(tile, v));
      b.get(sum).op('f32x4.add').set(sum);
    });
  });
}

/** Stores the sums, through x < 0 ? 0 : x where `relu` (pmax keeps NaN and -0). */
export function storeTile(
  b: FunctionBuilder,
  tile: Tile,
  at: Local,
  offsets: readonly number[],
  relu: boolean,
): void {
  tile.sums.forEach((sums, row) => {
    if (relu) {
      for (const sum of sums) b.get(sum).f32x4(0).op('f32x4.pmax').set(sum);
    }
    // The higher address first: the other way round, revectorization leaves the lower half's own store behind.
    for (let v = sums.length - 1; v >= 0; v--) {
      storeLanes(b, at, offsets[row]! + 16 * v, sums[v]!, lanesOf(tile, v));
    }
  });
}

/** The two factors of a reduction. */
export interface Factors {
  readonly splat: Local;
  /** Byte offset of each row's value. */
  readonly rowOffsets: readonly number[];
  readonly vector: Local;
  /** Whether all lanes of the last vector may be read even where not all are used (packed weights). */
  readonly padded: boolean;
}

/** Carries the sums through the levels of a reduction, outermost first. */
export function reduceTile(
  b: FunctionBuilder,
  tile: Tile,
  factors: Factors,
  levels: readonly Level[],
  target: Target,
): void {
  const splat = b.local('i32', 'splat');
  const vector = b.local('i32', 'vector');
  b.get(factors.splat).set(splat).get(factors.vector).set(vector);
  reduceLevels(b, tile, { ...factors, splat, vector }, levels, target);
}

/** Carries the sums through the levels and moves the pointers over all of them. */
export function reduceLevels(
  b: FunctionBuilder,
  tile: Tile,
  factors: Factors,
  levels: readonly Level[],
  target: Target,
): void {
  const [level, ...inner] = levels;
  const first = inner[0];
  if (level === undefined) return;
  if (first === undefined) {
    reduceRun(b, tile, factors, level, target);
    return;
  }
  repeat(b, level.count, () => {
    reduceLevels(b, tile, factors, inner, target);
    b.advance(factors.splat, level.splat - first.count * first.splat);
    b.advance(factors.vector, level.vector - first.count * first.vector);
  });
}

/** The innermost loop, unrolled. */
function reduceRun(b: FunctionBuilder, tile: Tile, factors: Factors, level: Level, target: Target): void {
  const { count } = level;
  const unroll = Math.min(count, target.pairs ? UNROLL.pairs : UNROLL.single);
  const loops = Math.floor(count / unroll);
  if (loops > 1) repeat(b, loops, () => reducePasses(b, tile, factors, level, unroll));
  else reducePasses(b, tile, factors, level, unroll);
  if (count % unroll > 0) reducePasses(b, tile, factors, level, count % unroll);
}

/** Carries the sums through a run whose length is known only when it runs; moves the pointers over it. */
export function reduceSamples(
  b: FunctionBuilder,
  tile: Tile,
  factors: Factors,
  count: Local,
  step: Steps,
  target: Target,
): void {
  const unroll = target.pairs ? UNROLL.pairs : UNROLL.single;
  const part = b.local('i32', 'part');
  b.get(count).i32(unroll).op('i32.div_u').set(part);
  repeat(b, part, () => reducePasses(b, tile, factors, step, unroll));
  if (unroll === 1) return;
  b.get(count).i32(unroll).op('i32.rem_u').set(part);
  repeat(b, part, () => reducePasses(b, tile, factors, step, 1));
}

function reducePasses(b: FunctionBuilder, tile: Tile, factors: Factors, step: Steps, times: number): void {
  for (let i = 0; i < times; i++) {
    reducePass(b, tile, factors, i * step.vector);
    b.advance(factors.splat, step.splat);
  }
  b.advance(factors.vector, times * step.vector);
}

function reducePass(b: FunctionBuilder, tile: Tile, factors: Factors, vectorOffset: number): void {
  tile.vectors.forEach((local, v) => {
    loadLanes(b, factors.vector, vectorOffset + 16 * v, factors.padded ? 4 : lanesOf(tile, v));
    b.set(local);
  });
  tile.sums.forEach((sums, row) => {
    b.get(factors.splat).memory('v128.load32_splat', factors.rowOffsets[row]!).set(tile.splat);
    sums.forEach((sum, v) => {
      b.get(sum).get(tile.splat).get(tile.vectors[v]!).op('f32x4.mul').op('f32x4.add').set(sum);
    });
  });
}

function lanesOf(tile: Tile, vector: number): number {
  return vector === tile.vectors.length - 1 ? tile.lastLanes : 4;
}

/** Pushes the vector at `at` plus `offset`, reading only its first `lanes` floats; the others are zero. */
export function loadLanes(b: FunctionBuilder, at: Local, offset: number, lanes: number): void {
  b.get(at);
  if (lanes === 4) b.memory('v128.load', offset);
  else if (lanes === 1) b.memory('v128.load32_zero', offset);
  else if (lanes === 2) b.memory('v128.load64_zero', offset);
  else
    b.get(at)
      .memory('v128.load64_zero', offset)
      .memoryLane('v128.load32_lane', 2, offset + 8);
}

/** Stores the first `lanes` floats of a vector. */
export function storeLanes(b: FunctionBuilder, at: Local, offset: number, value: Local, lanes: number): void {
  b.get(at).get(value);
  if (lanes === 4) b.memory('v128.store', offset);
  else if (lanes === 1) b.memoryLane('v128.store32_lane', 0, offset);
  else {
    b.memoryLane('v128.store64_lane', 0, offset);
    if (lanes === 3)
      b.get(at)
        .get(value)
        .memoryLane('v128.store32_lane', 2, offset + 8);
  }
}

/**
 * Loops over memory, while emitting: pointers that walk in constant steps, and the levels of a reduction.
 * All steps are in bytes.
 */
import type { FunctionBuilder, Local } from './assembler/index.ts';

/** A pointer that moves by `step` from pass to pass; it starts at `from` plus `offset`. */
export interface Cursor {
  readonly from: Local;
  readonly offset?: number;
  readonly step: number;
}

/**
 * Emits `body` `count` times, each time with the cursors' pointers moved on. What needs no pointer of its
 * own (a single pass without offset) gets none.
 */
export function walk(
  b: FunctionBuilder,
  count: number | Local,
  cursors: readonly Cursor[],
  body: (pointers: Local[]) => void,
): void {
  if (count === 0) return;
  const moving = count !== 1;
  const pointers = cursors.map(({ from, offset = 0, step }) => {
    if (offset === 0 && (!moving || step === 0)) return from;
    const pointer = b.local('i32');
    b.get(from);
    if (offset !== 0) b.i32(offset).op('i32.add');
    b.set(pointer);
    return pointer;
  });
  if (!moving) {
    body(pointers);
    return;
  }
  repeat(b, count, () => {
    body(pointers);
    cursors.forEach(({ step }, i) => {
      b.advance(pointers[i]!, step);
    });
  });
}

/** Emits `body` in a loop of `count` passes; a constant count is at least 1, a local may hold 0. */
export function repeat(b: FunctionBuilder, count: number | Local, body: () => void): void {
  const left = b.local('i32');
  const loop = () => {
    b.loop((again) => {
      body();
      b.get(left).i32(1).op('i32.sub').tee(left).brIf(again);
    });
  };
  if (typeof count === 'number') {
    b.i32(count).set(left);
    loop();
  } else {
    b.get(count).tee(left).if(loop);
  }
}

/**
 * Emits `body` for items whose number is known only when the kernel runs: in a loop for tiles of `most`
 * items, then once for the items left. The cursors' steps are from item to item.
 */
export function walkTiles(
  b: FunctionBuilder,
  count: Local,
  most: number,
  cursors: readonly { readonly from: Local; readonly step: number }[],
  body: (size: number, pointers: Local[]) => void,
): void {
  const pointers = cursors.map(({ from }) => {
    const pointer = b.local('i32');
    b.get(from).set(pointer);
    return pointer;
  });
  const full = b.local('i32', 'full');
  b.get(count).i32(most).op('i32.div_u').set(full);
  repeat(b, full, () => {
    body(most, pointers);
    cursors.forEach(({ step }, i) => {
      b.advance(pointers[i]!, most * step);
    });
  });
  for (let rest = 1; rest < most; rest++) {
    b.get(count).i32(most).op('i32.rem_u').i32(rest).op('i32.eq');
    b.if(() => body(rest, pointers));
  }
}

/** Equal parts of a whole: `count` parts of `size` each, the first beginning at `start`. */
export interface Part {
  readonly start: number;
  readonly count: number;
  readonly size: number;
}

/** Cuts `total` into as few parts of at most `most` as possible, their sizes differing by 1 at most. */
export function evenParts(total: number, most: number): Part[] {
  if (total === 0) return [];
  const parts = Math.ceil(total / most);
  const small = Math.floor(total / parts);
  const large = total - small * parts;
  const first: Part = { start: 0, count: large, size: small + 1 };
  const second: Part = { start: large * (small + 1), count: parts - large, size: small };
  return [first, second].filter((part) => part.count > 0);
}

/** Cuts `total` into full parts of `size`, and a last one of what is left. */
export function fullParts(total: number, size: number): Part[] {
  const full = Math.floor(total / size);
  const parts = [
    { start: 0, count: full, size },
    { start: full * size, count: 1, size: total - full * size },
  ];
  return parts.filter((part) => part.count > 0 && part.size > 0);
}

/** How the pointers to the two factors of a product move from pass to pass. */
export interface Steps {
  /** Step of the pointer to the factor that is broadcast (an input). */
  readonly splat: number;
  /** Step of the pointer to the factor that is a vector (weights). */
  readonly vector: number;
}

/** One level of a nested reduction: `count` passes. */
export interface Level extends Steps {
  readonly count: number;
}

/** Joins levels that together are one longer run, and drops those of a single pass; outermost first. */
export function mergeLevels(levels: readonly Level[]): Level[] {
  const merged: Level[] = [];
  for (const level of levels.toReversed()) {
    const inner = merged[0];
    if (level.count === 1 && inner !== undefined) continue;
    if (inner?.count === 1) merged[0] = level;
    else if (inner && isOneRun(level, inner)) merged[0] = { ...inner, count: level.count * inner.count };
    else merged.unshift(level);
  }
  return merged;
}

function isOneRun(outer: Level, inner: Level): boolean {
  return outer.splat === inner.count * inner.splat && outer.vector === inner.count * inner.vector;
}

/** Passes of the innermost body. */
export function passes(levels: readonly Level[]): number {
  return levels.reduce((product, level) => product * level.count, 1);
}

/**
 * Cuts a reduction into blocks of at most about `most` passes: the levels around a block and those inside it.
 * Levels are split only evenly, so a block is longer where the innermost count has no suitable divisor.
 */
export function cutBlocks(levels: readonly Level[], most: number): { outer: Level[]; inner: Level[] } {
  const outer = [...levels];
  const inner: Level[] = [];
  while (outer.length > 0) {
    const level = outer.pop()!;
    const room = most / passes(inner);
    if (level.count <= room) {
      inner.unshift(level);
      continue;
    }
    const size = divisorBelow(level.count, room) ?? (inner.length === 0 ? level.count : 1);
    const { count, splat, vector } = level;
    if (size > 1) inner.unshift({ ...level, count: size });
    outer.push({ count: count / size, splat: splat * size, vector: vector * size });
    break;
  }
  return { outer, inner };
}

/** The largest divisor of `count` between half of `room` and `room`, if there is one. */
function divisorBelow(count: number, room: number): number | undefined {
  for (let size = Math.floor(room); size > room / 2; size--) if (count % size === 0) return size;
  return undefined;
}

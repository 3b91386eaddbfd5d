/**
 * What the twins of Lp pooling share: four neighbouring channels in the lanes of a piece, whose sums are f64 in two halves,
 * the lower two channels and the upper two. Only norms whose powers are exact operations, 1 and 2, have twins: `pow` would
 * be one lane after the other.
 */
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { pushTap, type WindowSite } from './pool-taps.ts';
import type { Piece } from './rows.ts';

export function hasExactPower({ p }: { readonly p: number }): boolean {
  return p === 1 || p === 2;
}

/** Locals of a piece: of each half one. */
export type Halves = readonly [lower: Local, upper: Local];

/** The norms of the pieces side by side (windowNorm in ../lp-pool-forward.ts). */
export interface PieceNorms {
  /** The largest magnitudes, f32. */
  readonly largest: readonly Local[];
  /** The same as f64. */
  readonly wide: readonly Halves[];
  /** Sums of the powers of the shares of the largest; NaN where that is 0. */
  readonly sums: readonly Halves[];
}

/** The halves that have channels. */
export function halvesOf({ lanes }: Piece): readonly (0 | 1)[] {
  return lanes === 4 ? [0, 1] : [0];
}

export function halvesLocals(b: FunctionBuilder, pieces: number, name: string): readonly Halves[] {
  return Array.from({ length: pieces }, () => b.localArray('v128', 2, name) as [Local, Local]);
}

/** Pushes two of a local's f32 as f64. */
export function pushWide(b: FunctionBuilder, x: Local, half: 0 | 1): void {
  b.get(x);
  if (half === 1) b.get(x).shuffleLanes([2, 3, 2, 3]);
  b.op('f64x2.promote_low_f32x4');
}

/** Pushes a piece's channels as f32: `push` leaves a half's f64 on the stack. */
export function pushNarrow(b: FunctionBuilder, piece: Piece, push: (half: 0 | 1) => void): void {
  for (const half of halvesOf(piece)) {
    push(half);
    b.op('f32x4.demote_f64x2_zero');
  }
  if (piece.lanes === 4) b.shuffleLanes([0, 1, 4, 5]);
}

/** Declares the locals and returns what emits the norms of a window, over the first input buffer. */
export function normsEmitter(
  b: FunctionBuilder,
  p: number,
  pieceCount: number,
): { readonly norms: PieceNorms; readonly emit: (site: WindowSite, pieces: readonly Piece[]) => void } {
  const largest = b.localArray('v128', pieceCount, 'largest');
  const wide = halvesLocals(b, pieceCount, 'wide');
  const sums = halvesLocals(b, pieceCount, 'sum');
  const value = b.local('v128', 'magnitude');
  const share = b.local('v128', 'share');
  const emit = (site: WindowSite, pieces: readonly Piece[]): void => {
    pieces.forEach((_, i) => {
      b.f32x4(0).set(largest[i]!);
    });
    site.forEachTap((tap) => {
      pieces.forEach((piece, i) => {
        pushTap(b, tap, 0, piece);
        b.op('f32x4.abs').get(largest[i]!).op('f32x4.max').set(largest[i]!);
      });
    });
    pieces.forEach((piece, i) => {
      for (const half of halvesOf(piece)) {
        pushWide(b, largest[i]!, half);
        b.set(wide[i]![half]).f64x2(0).set(sums[i]![half]);
      }
    });
    site.forEachTap((tap) => {
      pieces.forEach((piece, i) => {
        pushTap(b, tap, 0, piece);
        b.op('f32x4.abs').set(value);
        for (const half of halvesOf(piece)) {
          pushWide(b, value, half);
          b.get(wide[i]![half]).op('f64x2.div').set(share);
          b.get(sums[i]![half]).get(share);
          if (p === 2) b.get(share).op('f64x2.mul');
          b.op('f64x2.add').set(sums[i]![half]);
        }
      });
    });
  };
  return { norms: { largest, wide, sums }, emit };
}

/** What the twins of local response normalisation share: two channels a vector of f64, and the powers. */
import { type LocalResponse, ROOT_POWERS } from '../local-response.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { type ChannelPair, pushPair, storePair } from './sample-groups.ts';

/** Whether the powers are made of roots; others are left to the scalar kernel. */
export function hasRootPower({ beta }: LocalResponse): boolean {
  return ROOT_POWERS.includes(beta);
}

/** A cursor of f32 channels, or of f64 ones. */
export interface ChannelCursor {
  readonly pointer: Local;
  readonly bytes: 4 | 8;
}

/** Emits `body` for each pair of channels; the cursors' pointers move along and end where they began. */
export function forEachPair(
  b: FunctionBuilder,
  channels: number,
  cursors: readonly ChannelCursor[],
  body: (pair: ChannelPair) => void,
): void {
  const pairs = Math.floor(channels / 2);
  const move = (times: number) => {
    for (const { pointer, bytes } of cursors) b.advance(pointer, 2 * bytes * times);
  };
  if (pairs > 0) {
    const each = () => {
      body({ channel: 0, lanes: 2 });
      move(1);
    };
    b.forRange(b.local('i32', 'pair'), pairs, each, { test: 'last' });
  }
  if (channels % 2 === 1) body({ channel: 0, lanes: 1 });
  move(-pairs);
}

/** Stores the squares of a pair of channels, `depthRadius` elements behind the pointer. */
export function storeSquares(
  b: FunctionBuilder,
  x: Local,
  squares: Local,
  pair: ChannelPair,
  depthRadius: number,
  value: Local,
): void {
  pushPair(b, x, pair).set(value);
  b.get(value).get(value).op('f64x2.mul').set(value);
  storePair(b, squares, pair, value, depthRadius);
}

/** Pushes the sums of 2 depthRadius + 1 f64 from the pointer on, and from the next element on. */
export function pushSumAround(
  b: FunctionBuilder,
  pointer: Local,
  { lanes }: ChannelPair,
  depthRadius: number,
): void {
  b.f64x2(0);
  for (let d = 0; d <= 2 * depthRadius; d++) {
    b.get(pointer).memory(lanes === 2 ? 'v128.load' : 'v128.load64_zero', 8 * d);
    b.op('f64x2.add');
  }
}

/** Pushes bias + alpha * (the sum on the stack). */
export function pushBase(b: FunctionBuilder, { bias, alpha }: LocalResponse): void {
  b.f64x2(alpha).op('f64x2.mul').f64x2(bias).op('f64x2.add');
}

/** Pushes base^-beta. */
export function pushInversePower(b: FunctionBuilder, base: Local, { beta }: LocalResponse): void {
  b.f64x2(1).get(base);
  if (beta !== 1) b.op('f64x2.sqrt');
  if (beta === 0.75) b.get(base).op('f64x2.sqrt').op('f64x2.sqrt').op('f64x2.mul');
  b.op('f64x2.div');
}

/** Stores a pair of f32 from the low lanes of a vector. */
export function storeFloats(b: FunctionBuilder, pointer: Local, { lanes }: ChannelPair, value: Local): void {
  b.get(pointer).get(value);
  b.memoryLane(lanes === 2 ? 'v128.store64_lane' : 'v128.store32_lane', 0, 0);
}

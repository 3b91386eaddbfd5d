/**
 * Loops of the twins of layer normalisation: over sets, over the pixels of a set, and over channels in eights, whose f64
 * partial sums (../layer-norm.ts) lie in four vectors of two.
 */
import type { View } from '../../tensor/view.ts';
import { type NormalizedOver, setSizes } from '../layer-norm.ts';
import type { FunctionBuilder, Local } from './assembler/index.ts';
import { nest } from './rows.ts';
import { type ChannelPair, pixelLoops } from './sample-groups.ts';

/** What lies beside the images: bytes from one pixel of a set to the next, and from one set to the next. */
export interface Beside {
  readonly origin: Local;
  readonly pixelBytes: number;
  readonly setBytes: number;
}

/** Bytes of an element beside the images that is there for every parameter. */
export function besideParameters(origin: Local, view: View, over: NormalizedOver, bytes = 4): Beside {
  return { origin, pixelBytes: over === 'image' ? bytes * view.channels : 0, setBytes: 0 };
}

/** The statistics, two f32 a set. */
export function besideSets(origin: Local): Beside {
  return { origin, pixelBytes: 0, setBytes: 8 };
}

/** Pointers into the images and into what lies beside them, and how to walk the pixels of a set. */
export interface SetSite {
  readonly images: readonly Local[];
  readonly beside: readonly Local[];
  /** Emits `body` for each pixel of the set; pointers move along and end where they began. */
  forEachPixel(body: () => void): void;
}

/** Emits `body` for every set of every sample. */
export function forEachSet(
  b: FunctionBuilder,
  images: readonly { readonly origin: Local; readonly view: View }[],
  others: readonly Beside[],
  over: NormalizedOver,
  body: (site: SetSite) => void,
): void {
  const views = images.map(({ view }) => view);
  const pointerTo = ({ origin }: { readonly origin: Local }) => {
    const pointer = b.local('i32', `${origin.name}At`);
    b.get(origin).set(pointer);
    return pointer;
  };
  const at = images.map(pointerTo);
  const beside = others.map(pointerTo);
  const pointers = [...at, ...beside];
  const loops = pixelLoops(views);
  /** The loops over pixels with the steps of what lies beside; a row of a set is `width` pixels of it. */
  const withSteps = (bytes: (other: Beside) => number) =>
    loops.map(({ extent, stepBytes }, i) => {
      const inner = loops.slice(i + 1).reduce((product, loop) => product * loop.extent, 1);
      return { extent, stepBytes: [...stepBytes, ...others.map((other) => inner * bytes(other))] };
    });
  const setLoops = over === 'channels' ? withSteps(({ setBytes }) => setBytes) : [];
  const innerLoops = over === 'image' ? withSteps(({ pixelBytes }) => pixelBytes) : [];
  const site: SetSite = {
    images: at,
    beside,
    forEachPixel: (each) => nest(b, innerLoops, pointers, each),
  };
  const { sets } = setSizes(views[0]!, over);
  b.forRange(b.local('i32', 'n'), b.param('count'), () => {
    nest(b, setLoops, pointers, () => body(site));
    at.forEach((pointer, i) => {
      b.advance(pointer, 4 * views[i]!.imageStride);
    });
    beside.forEach((pointer, i) => {
      b.advance(pointer, sets * others[i]!.setBytes);
    });
  });
}

/** A pair of neighbouring channels, and the vector of partial sums that it goes to. */
export interface PartialPair extends ChannelPair {
  readonly partial: number;
}

/** Emits `body` for the channels of a pixel in eights. `pointers` have `bytes` an element; they end where they began. */
export function forEachEight(
  b: FunctionBuilder,
  channels: number,
  pointers: readonly { readonly pointer: Local; readonly bytes: number }[],
  body: (pairs: readonly PartialPair[]) => void,
): void {
  const eights = Math.floor(channels / 8);
  const pairsOf = (size: number): PartialPair[] =>
    Array.from({ length: Math.ceil(size / 2) }, (_, i) => ({
      channel: 2 * i,
      lanes: 2 * i + 1 < size ? 2 : 1,
      partial: i,
    }));
  const move = (times: number) => {
    for (const { pointer, bytes } of pointers) b.advance(pointer, times * 8 * bytes);
  };
  if (eights > 0) {
    const turn = b.local('i32', 'eight');
    b.forRange(
      turn,
      eights,
      () => {
        body(pairsOf(8));
        move(1);
      },
      { test: 'last' },
    );
  }
  if (channels % 8 !== 0) body(pairsOf(channels % 8));
  move(-eights);
}

/** Adds the vector on the stack to the pair's partial sums; the lane of a channel that is not there counts as 0. */
export function addPartial(
  b: FunctionBuilder,
  partials: readonly Local[],
  { lanes, partial }: PartialPair,
): void {
  if (lanes === 1) b.f64(0).lane('f64x2.replace_lane', 1);
  const sum = partials[partial]!;
  b.get(sum).op('f64x2.add').set(sum);
}

/** Pushes the sum of all partials as f64. */
export function pushFold(b: FunctionBuilder, partials: readonly Local[]): void {
  const [p01, p23, p45, p67] = partials as [Local, Local, Local, Local];
  const pairs = b.local('v128', 'folded');
  b.get(p01).get(p45).op('f64x2.add').get(p23).get(p67).op('f64x2.add').op('f64x2.add').set(pairs);
  b.get(pairs).lane('f64x2.extract_lane', 0).get(pairs).lane('f64x2.extract_lane', 1).op('f64.add');
}

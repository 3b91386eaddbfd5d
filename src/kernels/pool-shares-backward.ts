/**
 * The gradient of the weights from that of the shares (pool-shares.ts).
 *
 *   weight      [taps, C]
 *   gradShares  [taps, C]
 *   gradWeight  [taps, C]
 *
 *   gradWeight[t, c] = start + share[t, c] (gradShares[t, c] - sum over s of share[s, c] gradShares[s, c])
 *
 * The product in f64 from shares in f64, the sum over s ascending, rounded to f32 once; then, where `accumulate`, added
 * to what gradWeight holds, rounded again.
 */
import { f32Buffer, type KernelFamily } from './kernel.ts';
import { softmaxOfTaps } from './pool-shares.ts';

export interface PoolSharesBackwardSpec {
  readonly kind: 'poolSharesBackward';
  readonly taps: number;
  readonly channels: number;
  /** Whether the gradient is added to what gradWeight holds. */
  readonly accumulate: boolean;
}

const f = Math.fround;

export const poolSharesBackwardFamily: KernelFamily<PoolSharesBackwardSpec> = {
  kind: 'poolSharesBackward',
  args: ({ taps, channels, accumulate }) => [
    f32Buffer('weight', 'in', () => taps * channels),
    f32Buffer('gradShares', 'in', () => taps * channels),
    f32Buffer('gradWeight', accumulate ? 'inout' : 'out', () => taps * channels),
  ],
  bind({ taps, channels, accumulate }, { f32 }) {
    const shares = new Float64Array(taps);
    return (weightBytes, gradSharesBytes, gradWeightBytes) => {
      for (let c = 0; c < channels; c++) {
        softmaxOfTaps(f32, (weightBytes! >>> 2) + c, channels, shares);
        const from = (gradSharesBytes! >>> 2) + c;
        const to = (gradWeightBytes! >>> 2) + c;
        let mean = 0;
        for (let t = 0; t < taps; t++) mean += shares[t]! * f32[from + t * channels]!;
        for (let t = 0; t < taps; t++) {
          const value = f(shares[t]! * (f32[from + t * channels]! - mean));
          const at = to + t * channels;
          f32[at] = accumulate ? f(f32[at]! + value) : value;
        }
      }
    };
  },
};

/** The first calls of a shard: stored samples become the model's inputs, normalised and augmented. */
import type { AffineWarpSpec } from '../kernels/affine-warp.ts';
import type { NormalizePixelsSpec } from '../kernels/normalize-pixels.ts';
import type { PlannedBuffer } from '../layers/layer.ts';
import { elementCount } from '../tensor/shape.ts';
import { plainBuffer, refTo, tensorBuffer } from './buffers.ts';
import type { InputFormat } from './contracts.ts';
import type { Emission } from './emit.ts';

/** What the main thread writes for each step. */
export interface InputBuffers {
  /** The samples as they are stored, [N, H, W, C]. */
  readonly samples: PlannedBuffer;
  /** Six f32 a sample, output pixel to source pixel; only used where the format is augmented. */
  readonly matrices: PlannedBuffer;
}

/** Emits normalisation and, if asked for, the affine map, of the input at a place in the graph's list. */
export function emitInput(emission: Emission, format: InputFormat, place: number): InputBuffers {
  const { inputs, inputNames } = emission.graph;
  const input = emission.tensor(inputs[place]!);
  const named = (kind: string) => (place === 0 ? kind : `${kind}/${inputNames[place]}`);
  const bytes = format.type === 'uint8' ? 1 : 4;
  const samples = plainBuffer(named('samples'), 'slot', { sampleBytes: elementCount(input.shape) * bytes });
  const matrices = plainBuffer(named('matrices'), 'slot', { sampleBytes: 24 });
  const normalized = format.augmented ? tensorBuffer(named('normalized'), 'unit', input.shape, 0) : input;
  const normalize: NormalizePixelsSpec = {
    kind: 'normalizePixels',
    inputType: format.type,
    mode: format.mode,
    mean: format.mean,
    std: format.std,
    output: normalized.view,
  };
  emission.call(normalize, [refTo(samples), normalized.origin, 'count']);
  if (format.augmented) {
    const warp: AffineWarpSpec = { kind: 'affineWarp', input: normalized.view, output: input.view };
    emission.call(warp, [normalized.origin, refTo(matrices), input.origin, 'count']);
  }
  return { samples, matrices };
}

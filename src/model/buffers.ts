/** Makes planned buffers: activations with halos, vectors a sample, parameters. */
import type { BufferRef, PlannedBuffer, Scope, TensorRef } from '../layers/layer.ts';
import { elementCount, type Shape } from '../tensor/shape.ts';
import { denseView, sequenceView, type View, viewLead } from '../tensor/view.ts';

/** Bytes to a multiple of a cache line. */
export function alignBytes(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/** The origin of a buffer, plus elements of four bytes. */
export function refTo(buffer: PlannedBuffer, elements = 0): BufferRef {
  return { buffer, offsetBytes: elements * 4 };
}

/** A buffer without halo. */
export function plainBuffer(
  name: string,
  scope: Scope,
  size: { readonly fixedBytes?: number; readonly sampleBytes?: number },
): PlannedBuffer {
  const { fixedBytes = 0, sampleBytes = 0 } = size;
  return { name, scope, fixedBytes, sampleBytes, originBytes: 0, layout: '' };
}

/** [H, W, C] as it is, [L, C] as an image of one row, [F] as an image of one pixel. */
export function viewOf(shape: Shape, halo: number): View {
  if (shape.length === 3) return denseView(shape[0]!, shape[1]!, shape[2]!, halo);
  if (shape.length === 2) return sequenceView(shape[0]!, shape[1]!, halo);
  return denseView(1, 1, elementCount(shape));
}

/** An activation or gradient of its own. */
export function tensorBuffer(name: string, scope: Scope, shape: Shape, halo: number): TensorRef {
  const view = viewOf(shape, halo);
  const buffer: PlannedBuffer = {
    name,
    scope,
    fixedBytes: 0,
    sampleBytes: view.imageStride * 4,
    originBytes: viewLead(view) * 4,
    layout: halo === 0 ? '' : JSON.stringify(view),
  };
  return { shape, view, origin: refTo(buffer) };
}

/** Bytes that a buffer takes for a number of samples. */
export function bufferBytes(buffer: PlannedBuffer, samples: number): number {
  return alignBytes(buffer.fixedBytes + buffer.sampleBytes * samples);
}

/** Kernels on a memory of their own, each buffer apart from the others: to time one kernel without a program. */
import { families } from '../src/kernels/index.ts';
import { type Heap, heapOf, isBuffer, type KernelFunction, type KernelSpec } from '../src/kernels/kernel.ts';
import { compileKernels } from '../src/parallel/compile.ts';
import type { View } from '../src/tensor/view.ts';

/** What runs a kernel: 256-bit or 128-bit code, or plain TypeScript. */
export type Code = '256' | '128' | 'scalar';

/** A kernel with its arguments. */
export interface SandboxKernel {
  readonly spec: KernelSpec;
  readonly code: Code;
  /** Where a buffer's origin lies, in floats. */
  origin(name: string): number;
  /** Floats from a buffer's origin on. */
  length(name: string): number;
  run(): void;
}

export interface Sandbox {
  readonly heap: Heap;
  readonly kernels: readonly SandboxKernel[];
}

/** Distances between buffers: a cache line, and room for what strays. */
const LINE = 64;
const PAGE = 65_536;

/**
 * Compiles kernels whose arguments are buffers of f32 and a number of samples, and lays out their buffers,
 * zeroed.
 */
export function createSandbox(specs: readonly KernelSpec[], count: number): Sandbox {
  const layouts: { args: number[]; buffers: Map<string, { origin: number; length: number }> }[] = [];
  let end = LINE;
  for (const spec of specs) {
    const buffers = new Map<string, { origin: number; length: number }>();
    const args = families[spec.kind]!.args(spec).map((arg) => {
      if (!isBuffer(arg)) return count;
      const origin = Math.ceil(end / LINE) * LINE + 4 * (arg.lead ?? 0);
      const length = arg.length(count);
      end = origin + 4 * length + LINE;
      buffers.set(arg.name, { origin: origin / 4, length });
      return origin;
    });
    layouts.push({ args, buffers });
  }
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / PAGE), maximum: PAGE, shared: true });
  const heap = heapOf(memory.buffer);
  const compiled = compileKernels(specs, true);
  const { exports } = new WebAssembly.Instance(compiled.module, { env: { memory } });
  const kernels = specs.map((spec, i): SandboxKernel => {
    const exported = compiled.exports[i]!;
    const { args, buffers } = layouts[i]!;
    const kernel =
      exported < 0 ? families[spec.kind]!.bind(spec, heap) : (exports[String(exported)] as KernelFunction);
    return {
      spec,
      code: exported < 0 ? 'scalar' : compiled.wide ? '256' : '128',
      origin: (name) => buffers.get(name)!.origin,
      length: (name) => buffers.get(name)!.length,
      run: () => kernel(...args),
    };
  });
  return { heap, kernels };
}

/** Copies a plain array [n, H, W, C] into a view; halos stay as they are. */
export function writeImages(f32: Float32Array, origin: number, view: View, values: Float32Array): void {
  forEachPixel(view, values.length, (plain, viewed) => {
    f32.set(values.subarray(plain, plain + view.channels), origin + viewed);
  });
}

/** A view's `count` images as a plain array [n, H, W, C]. */
export function readImages(f32: Float32Array, origin: number, view: View, count: number): Float32Array {
  const values = new Float32Array(count * view.height * view.width * view.channels);
  forEachPixel(view, values.length, (plain, viewed) => {
    values.set(f32.subarray(origin + viewed, origin + viewed + view.channels), plain);
  });
  return values;
}

function forEachPixel(view: View, length: number, visit: (plain: number, viewed: number) => void): void {
  const { height, width, channels } = view;
  for (let plain = 0; plain < length; plain += channels) {
    const pixel = plain / channels;
    const x = pixel % width;
    const y = Math.floor(pixel / width) % height;
    const n = Math.floor(pixel / width / height);
    visit(plain, n * view.imageStride + y * view.rowStride + x * view.pixelStride);
  }
}

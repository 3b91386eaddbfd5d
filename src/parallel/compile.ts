/**
 * Compiles an emitted module. Where V8 can (Node 24 and later, x86-64), pairs of 128-bit operations become 256-bit
 * ones: the flag is read when the optimizing compiler runs, so it is set, every kernel is called once on nothing,
 * and it is cleared again. The code stays fast, in workers too, and the process keeps no experimental flag.
 */
import { setFlagsFromString } from 'node:v8';
import type { KernelSpec } from '../kernels/kernel.ts';
import { emitModule } from '../kernels/simd/module.ts';
import { BASELINE_TARGET, PAIRED_TARGET, type Target } from '../kernels/simd/twin.ts';

/** A compiled module, and the export of each spec (-1: scalar). */
export interface CompiledKernels {
  readonly module: WebAssembly.Module;
  readonly exports: readonly number[];
  /** Whether 256-bit code was asked for. */
  readonly wide: boolean;
}

/** First major version of Node whose V8 has the revectorization. */
const FIRST_WIDE_NODE = 24;

/** Whether this process can compile 256-bit code. */
export function canCompileWide(): boolean {
  return process.arch === 'x64' && Number(process.versions.node.split('.')[0]) >= FIRST_WIDE_NODE;
}

/** What the running V8 does well. */
export function targetFor(wide: boolean): Target {
  if (wide) return PAIRED_TARGET;
  return process.arch === 'arm64' ? { pairs: false, accumulators: 16 } : BASELINE_TARGET;
}

/** Emits and compiles the kernels of a program. */
export function compileKernels(specs: readonly KernelSpec[], allowWide: boolean): CompiledKernels {
  const wide = allowWide && canCompileWide();
  const { bytes, exports } = emitModule(specs, targetFor(wide));
  const build = () => {
    const module = new WebAssembly.Module(bytes);
    warm(module);
    return module;
  };
  return { module: wide ? withWideFlags(build) : build(), exports, wide };
}

/** Calls every export with zeros: a count of 0 or a length of 0 touches nothing, but the code gets compiled. */
function warm(module: WebAssembly.Module): void {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  for (const run of Object.values(instance.exports)) {
    const kernel = run as (...args: number[]) => void;
    try {
      kernel(...new Array<number>(kernel.length).fill(0));
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    }
  }
}

/** What is set while compiling, and what undoes it. Inlining without the baseline compiler's feedback aborts V8. */
const WIDE_FLAGS = [
  ['--no-liftoff', '--liftoff'],
  ['--no-wasm-inlining', '--wasm-inlining'],
  ['--experimental-wasm-revectorize', '--no-experimental-wasm-revectorize'],
] as const;

function withWideFlags<T>(build: () => T): T {
  for (const [set] of WIDE_FLAGS) setFlagsFromString(set);
  try {
    return build();
  } finally {
    for (const [, undo] of WIDE_FLAGS) setFlagsFromString(undo);
  }
}

/**
 * Compiles modules of the benchmarks' own (tiles without a kernel around them), as 128-bit or as 256-bit code.
 *
 * V8 fuses pairs of 128-bit operations when its optimizing compiler runs with the flag set, so it is made to run
 * at each function's second call, and the flags are taken back (src/parallel/compile.ts does this for kernels).
 */
import type { KernelFunction } from '../src/kernels/kernel.ts';
import { assembleModule, type FunctionBuilder } from '../src/kernels/simd/assembler/index.ts';
import { withCustomSection } from '../src/kernels/simd/assembler/module.ts';
import { optimizing } from '../src/parallel/compile.ts';

/** The functions bound to `memory`, optimized. Called with zeros they must do nothing. */
export function compileFunctions(
  functions: readonly FunctionBuilder[],
  memory: WebAssembly.Memory,
  bits: 128 | 256,
): KernelFunction[] {
  // V8 shares machine code between modules of equal bytes: the mark keeps those of different width apart.
  const bytes = withCustomSection(assembleModule(functions), 'bench', `${bits} bits`);
  return optimizing(bits, () => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    const kernels = functions.map((_, i) => exports[String(i)] as KernelFunction);
    for (const kernel of kernels) {
      const zeros = new Array<number>(kernel.length).fill(0);
      kernel(...zeros);
      kernel(...zeros);
    }
    return kernels;
  });
}

/** Emits the SIMD kernels of a program as one module. */
import type { KernelSpec } from '../kernel.ts';
import { assembleModule, type FunctionBuilder } from './assembler/index.ts';
import { twins } from './index.ts';
import type { Target } from './twin.ts';

/** A module's bytes, and for each spec the number of its export, or -1 where only the scalar kernel exists. */
export interface EmittedModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly exports: readonly number[];
}

/** Emits all specs that have a twin. */
export function emitModule(specs: readonly KernelSpec[], target: Target): EmittedModule {
  const functions: FunctionBuilder[] = [];
  const exports = specs.map((spec) => {
    const builder = twins[spec.kind]?.emit(spec, target);
    return builder === undefined ? -1 : functions.push(builder) - 1;
  });
  return { bytes: assembleModule(functions), exports };
}

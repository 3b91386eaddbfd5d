/**
 * The contract of SIMD twins: for a spec, a WebAssembly function whose i32 parameters are the family's
 * arguments in order and whose results equal the scalar kernel's bit for bit.
 */
import type { KernelFamily, KernelSpec } from '../kernel.ts';
import { FunctionBuilder } from './assembler/index.ts';

/** What is known of the engine that will compile the code. It may change tile shapes, never bits. */
export interface Target {
  /** Whether adjacent pairs of 128-bit operations become 256-bit ones (emit them at offsets o, o+16). */
  readonly pairs: boolean;
  /** How many v128 accumulators stay in registers in an inner loop. */
  readonly accumulators: number;
}

/** What every supported engine can do: 8 accumulators, no pairs (measured on Node 20, x86-64). */
export const BASELINE_TARGET: Target = { pairs: false, accumulators: 8 };
/** V8 with 256-bit revectorization (measured on Node 26): 8 ymm accumulators. */
export const PAIRED_TARGET: Target = { pairs: true, accumulators: 16 };

/** The SIMD half of a kernel family. `emit` returns undefined where the scalar kernel should serve. */
export interface SimdTwin<S extends KernelSpec = KernelSpec> {
  readonly kind: S['kind'];
  emit(spec: S, target: Target): FunctionBuilder | undefined;
}

/** A function builder with one i32 parameter an argument of the family, named alike. */
export function twinFunction<S extends KernelSpec>(family: KernelFamily<S>, spec: S): FunctionBuilder {
  return new FunctionBuilder(
    spec.kind,
    family.args(spec).map((arg) => [arg.name, 'i32'] as const),
  );
}

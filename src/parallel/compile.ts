/**
 * Compiles an emitted module. Where V8 can (Node 24 and later, x86-64), pairs of 128-bit operations become 256-bit
 * ones. V8 reads that flag when its optimizing compiler runs, so the flags that make it run at once are set, every
 * kernel is called on nothing, and all flags are cleared again: the code stays fast, in workers too, and the
 * process keeps no experimental flag. Each kernel is then compared with its 128-bit code (self-check.ts).
 */
import { setFlagsFromString } from 'node:v8';
import type { KernelFunction, KernelSpec } from '../kernels/kernel.ts';
import { withCustomSection } from '../kernels/simd/assembler/module.ts';
import { emitModule } from '../kernels/simd/module.ts';
import { BASELINE_TARGET, PAIRED_TARGET, type Target } from '../kernels/simd/twin.ts';
import { agree, type Trial, trialOf } from './self-check.ts';

/** A compiled module, and the export of each spec (-1: scalar). */
export interface CompiledKernels {
  readonly module: WebAssembly.Module;
  readonly exports: readonly number[];
  /** Whether it is 256-bit code. */
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

/** Emits and compiles the kernels of a program. `compare` is the self-check's; tests give another. */
export function compileKernels(
  specs: readonly KernelSpec[],
  allowWide: boolean,
  compare: typeof agree = agree,
): CompiledKernels {
  if (!allowWide || !canCompileWide()) return compilePlain(specs);
  const texts = specs.map((spec) => JSON.stringify(spec));
  if (texts.some((text) => verdicts.get(text) === false)) return compilePlain(specs);
  const { bytes, exports } = emitModule(specs, targetFor(true));
  const trials = specs.flatMap((spec, i) => (exports[i]! < 0 || verdicts.has(texts[i]!) ? [] : [trialOf(spec)]));
  const chosen = affordable(trials);
  const memory = memoryFor(chosen);
  const { module, instance } = withWideFlags(() => {
    const module = new WebAssembly.Module(withCustomSection(bytes, 'target', 'wide'));
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    warm(instance);
    return { module, instance };
  });
  const wide: CompiledKernels = { module, exports, wide: true };
  if (chosen.length === 0) return wide;
  const plain = compilePlain(specs);
  const plainInstance = new WebAssembly.Instance(plain.module, { env: { memory } });
  const kernelOf = (from: WebAssembly.Instance, names: readonly number[], spec: KernelSpec) =>
    from.exports[String(names[specs.indexOf(spec)])] as KernelFunction | undefined;
  for (const trial of chosen) {
    const { spec } = trial;
    const reference = kernelOf(plainInstance, plain.exports, spec);
    const candidate = kernelOf(instance, exports, spec)!;
    const verdict = reference === undefined || compare(trial, memory, reference, candidate);
    verdicts.set(JSON.stringify(spec), verdict);
    if (verdict) continue;
    process.emitWarning(
      `Faltung does without 256-bit code for some kernels: on Node ${process.versions.node}, ${spec.kind} gives other bits with it`,
    );
    return plain;
  }
  return wide;
}

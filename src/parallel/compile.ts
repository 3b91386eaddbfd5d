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
import { affordableTrials, agree, memoryFor } from './self-check.ts';

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

/** What the self-check found in this process, by the spec's JSON: equal specs have equal code. */
const verdicts = new Map<string, boolean>();

/** Emits and compiles the kernels of a program. `compare` is the self-check's; tests may give another. */
export function compileKernels(
  specs: readonly KernelSpec[],
  allowWide: boolean,
  compare: typeof agree = agree,
): CompiledKernels {
  const verdictOn = (spec: KernelSpec) => verdicts.get(JSON.stringify(spec));
  if (!allowWide || !canCompileWide() || specs.some((spec) => verdictOn(spec) === false)) {
    return compilePlain(specs);
  }
  const { bytes, exports } = emitModule(specs, targetFor(true));
  const trials = affordableTrials(
    specs.filter((spec, i) => exports[i]! >= 0 && verdictOn(spec) === undefined),
  );
  const memory = memoryFor(trials);
  const module = optimizing(256, () => {
    const compiled = compile(bytes, 256);
    warm(new WebAssembly.Instance(compiled, { env: { memory } }));
    return compiled;
  });
  if (trials.length === 0) return { module, exports, wide: true };
  const [reference, candidate] = [compile(bytes, 128), module].map(
    (compiled) => new WebAssembly.Instance(compiled, { env: { memory } }).exports,
  );
  for (const trial of trials) {
    const name = String(exports[specs.indexOf(trial.spec)]);
    const verdict = compare(
      trial,
      memory,
      reference![name] as KernelFunction,
      candidate![name] as KernelFunction,
    );
    verdicts.set(JSON.stringify(trial.spec), verdict);
    if (verdict) continue;
    warnOf(trial.spec);
    return compilePlain(specs);
  }
  return { module, exports, wide: true };
}

/** 128-bit code, which V8 optimizes as it runs. */
function compilePlain(specs: readonly KernelSpec[]): CompiledKernels {
  const { bytes, exports } = emitModule(specs, targetFor(false));
  return { module: compile(bytes, 128), exports, wide: false };
}

/** V8 shares machine code between modules of equal bytes; with the mark, those of different width are never equal. */
function compile(bytes: Uint8Array<ArrayBuffer>, bits: 128 | 256): WebAssembly.Module {
  return new WebAssembly.Module(withCustomSection(bytes, 'faltung', `${bits} bits`));
}

function warnOf({ kind }: KernelSpec): void {
  const { node } = process.versions;
  process.emitWarning(
    `Faltung uses 128-bit code: the 256-bit code that Node ${node} makes of ${kind} gives other results`,
  );
}

/**
 * Calls every export twice with zeros: the first call, in the baseline compiler's code, sets off the optimizing one.
 * A count or a length of 0 touches nothing; what has neither works on the memory's first bytes.
 */
function warm(instance: WebAssembly.Instance): void {
  for (const run of Object.values(instance.exports)) {
    const kernel = run as KernelFunction;
    const zeros = new Array<number>(kernel.length).fill(0);
    for (let call = 0; call < 2; call++) {
      try {
        kernel(...zeros);
      } catch (error) {
        if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      }
    }
  }
}

/**
 * What is set while compiling, and what undoes it. The baseline compiler stays on: the optimizing one inlines by the
 * feedback that its code collects, and where that is missing (`--no-liftoff`) V8 now and then aborts the process.
 */
const OPTIMIZER_FLAGS = [
  ['--wasm-sync-tier-up', '--no-wasm-sync-tier-up'],
  ['--wasm-tiering-budget=0', '--wasm-tiering-budget=13000000'],
  ['--experimental-wasm-revectorize', '--no-experimental-wasm-revectorize'],
] as const;

/** Runs `build`, in which a function's second call makes V8 optimize it, for vectors of this width; then undoes it. */
export function optimizing<T>(bits: 128 | 256, build: () => T): T {
  const flags = bits === 256 ? OPTIMIZER_FLAGS : OPTIMIZER_FLAGS.slice(0, 2);
  for (const [set] of flags) setFlagsFromString(set);
  try {
    return build();
  } finally {
    for (const [, undo] of flags) setFlagsFromString(undo);
  }
}

/**
 * Programs: what workers execute. A program is plain data: kernel specs, and phases of independent units, each
 * a list of kernel calls. It is encoded into one Int32Array that lies in shared memory.
 *
 *   code    [phases, start of phase 0, 1, ...]
 *   phase   [units, start of unit 0, 1, ...]
 *   unit    [first sample, samples at most, calls, call, call, ...]
 *   call    [kernel, arguments, tags, argument, ...]; tags hold two bits an argument, the first lowest
 *
 * A unit's count is the step's number of samples less its first sample, at most its samples; a unit whose
 * count is 0 is skipped.
 */
import { ConfigError } from '../errors.ts';
import type { KernelSpec } from '../kernels/kernel.ts';

/** How an argument becomes an i32: as it is, plus the worker's base, plus the slot's base, or the unit's count. */
export const TAG = { absolute: 0, worker: 1, slot: 2, count: 3 } as const;

/** An argument with its address decided. */
export interface PlacedArgument {
  readonly tag: number;
  readonly value: number;
}

export interface PlacedCall {
  readonly kernel: number;
  readonly args: readonly PlacedArgument[];
}

export interface PlacedUnit {
  readonly firstSample: number;
  readonly samples: number;
  readonly calls: readonly PlacedCall[];
}

export interface PlacedPhase {
  readonly name: string;
  readonly units: readonly PlacedUnit[];
}

/** A program ready to run. */
export interface Program {
  readonly kernels: readonly KernelSpec[];
  readonly phases: readonly string[];
  readonly code: Int32Array<SharedArrayBuffer>;
}

/** The most arguments that a call's tags have room for. */
export const MAX_ARGUMENTS = 16;

/** Encodes phases into shared memory. */
export function encodeProgram(kernels: readonly KernelSpec[], phases: readonly PlacedPhase[]): Program {
  const words: number[] = [phases.length, ...phases.map(() => 0)];
  phases.forEach((phase, p) => {
    words[1 + p] = words.length;
    const head = words.length;
    words.push(phase.units.length, ...phase.units.map(() => 0));
    phase.units.forEach((unit, u) => {
      words[head + 1 + u] = words.length;
      encodeUnit(unit, words);
    });
  });
  const code = new Int32Array(new SharedArrayBuffer(words.length * 4));
  code.set(words);
  return { kernels, phases: phases.map((phase) => phase.name), code };
}

function encodeUnit(unit: PlacedUnit, words: number[]): void {
  words.push(unit.firstSample, unit.samples, unit.calls.length);
  for (const { kernel, args } of unit.calls) {
    if (args.length > MAX_ARGUMENTS) {
      throw new ConfigError({
        operation: 'program',
        argument: `call of kernel ${kernel}`,
        expected: `at most ${MAX_ARGUMENTS} arguments`,
        received: String(args.length),
      });
    }
    let tags = 0;
    args.forEach(({ tag }, i) => {
      tags |= tag << (2 * i);
    });
    words.push(kernel, args.length, tags, ...args.map(({ value }) => value));
  }
}

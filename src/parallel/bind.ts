/** Binds a program's kernels to a memory: the module's exports where there are any, else the scalar kernels. */
import { ConfigError } from '../errors.ts';
import { families } from '../kernels/index.ts';
import { heapOf, type KernelFunction, type KernelSpec } from '../kernels/kernel.ts';
import type { BoundProgram } from './interpreter.ts';
import type { StepTask } from './task.ts';

/** The scalar kernel of a spec. Throws ConfigError for a kind that no family has. */
export function bindScalar(spec: KernelSpec, memory: WebAssembly.Memory): KernelFunction {
  const family = families[spec.kind];
  if (family === undefined) {
    throw new ConfigError({
      operation: 'program',
      argument: 'kernel',
      expected: `one of ${Object.keys(families).join(', ')}`,
      received: spec.kind,
    });
  }
  return family.bind(spec, heapOf(memory.buffer));
}

/** The parts of a task that say what its program is. */
export type ProgramTask = Pick<StepTask, 'programId' | 'memory' | 'module' | 'exports' | 'specs' | 'code'>;

/** Kernel specs as JSON in shared memory, so that posting them with every step copies nothing. */
export function encodeSpecs(specs: readonly KernelSpec[]): Uint8Array<SharedArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(specs));
  const shared = new Uint8Array(new SharedArrayBuffer(text.length));
  shared.set(text);
  return shared;
}

/** All kernels of a task's program. */
export function bindProgram(task: ProgramTask): BoundProgram {
  const kernels = JSON.parse(new TextDecoder().decode(task.specs.slice())) as KernelSpec[];
  const { memory, module } = task;
  const instance = module && new WebAssembly.Instance(module, { env: { memory } });
  const functions = kernels.map((spec, i) => {
    const name = task.exports[i] ?? -1;
    if (instance === undefined || name < 0) return bindScalar(spec, memory);
    return instance.exports[String(name)] as KernelFunction;
  });
  return { code: task.code, functions, kernels, words: new Int32Array(memory.buffer) };
}

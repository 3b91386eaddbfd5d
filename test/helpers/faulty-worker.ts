/** A worker like workers/worker.ts, with the faults that the test has set (faults.ts). */
import { threadId } from 'node:worker_threads';
import type { KernelFunction } from '../../src/kernels/kernel.ts';
import { bindProgram, type ProgramTask } from '../../src/parallel/bind.ts';
import type { BoundProgram } from '../../src/parallel/interpreter.ts';
import { createStep } from '../../src/parallel/work.ts';
import { pauses, sleepFor } from './delays.ts';
import { type Ending, ownFaults } from './faults.ts';

/** Long enough for a step to end, or a few. */
const LATER_MS = 150;

const { pauseSeed, pauseShare, napMs, fatal, words } = ownFaults();
const pause = pauseSeed === undefined ? () => {} : pauses(pauseSeed * 41 + threadId, pauseShare);

function bindFaulty(task: ProgramTask): BoundProgram {
  const program = bindProgram(task);
  const functions = program.functions.map((run, i): KernelFunction => {
    const isFatal = program.kernels[i]!.kind === fatal?.kind;
    return (...args) => {
      pause();
      if (napMs !== undefined) sleepFor(napMs);
      const call = isFatal ? Atomics.add(words!, 0, 1) - fatal!.call : -1;
      if (call >= 0 && call < (fatal!.times ?? 1)) {
        Atomics.store(words!, 1, 1);
        Atomics.notify(words!, 1);
        end(fatal!.ending);
      }
      run(...args);
    };
  });
  return { ...program, functions };
}

function end(ending: Ending): void {
  switch (ending) {
    case 'exit':
      process.exit(7);
      break;
    case 'throw':
      throw new RangeError('thrown on purpose');
    case 'trap':
      trap();
      break;
    case 'memory':
      for (const hoard: unknown[] = []; ; ) {
        hoard.push(new Array(100_000).fill(hoard.length));
        Atomics.add(words!, 2, 1);
      }
    case 'hang':
      for (;;) Atomics.load(words!, 0);
    case 'float':
      void Promise.reject(new Error('rejected on purpose, and nobody awaits it'));
      break;
    case 'exitLater':
      setTimeout(() => process.exit(7), LATER_MS);
      break;
    case 'throwLater':
      setTimeout(() => {
        throw new Error('thrown late on purpose');
      }, LATER_MS);
  }
}

/** (module (func (export "trap") unreachable)) */
function trap(): void {
  const bytes = [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    [0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
    [0x03, 0x02, 0x01, 0x00],
    [0x07, 0x08, 0x01, 0x04, 0x74, 0x72, 0x61, 0x70, 0x00, 0x00],
    [0x0a, 0x05, 0x01, 0x03, 0x00, 0x00, 0x0b],
  ];
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes.flat())));
  (exports.trap as () => void)();
}

export default createStep(bindFaulty);

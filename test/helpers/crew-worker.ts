/** A thread of a crew (crew.ts). */
import { parentPort } from 'node:worker_threads';
import { runProgram } from '../../src/parallel/interpreter.ts';
import { NAP_MS, noteIndex, type ThreadJob } from './crew.ts';
import { pauses, sleepFor } from './delays.ts';
import { randomFrom } from './twin.ts';

parentPort!.on('message', (job: ThreadJob) => {
  const { units, seed, worker, code, control, notes, gate, stuck, patienceMs = 60_000 } = job;
  const random = randomFrom(seed * 31 + worker);
  const pause = pauses(seed * 37 + worker);
  const ticket = () => Atomics.add(notes, 0, 1) + 1;
  const note = (...[phase, unit]: number[]) => {
    const at = noteIndex(units, phase!, unit!);
    Atomics.add(notes, at, 1);
    Atomics.store(notes, at + 1, ticket());
    pause();
    if (stuck?.phase === phase && stuck?.unit === unit) {
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
      Atomics.wait(gate, 1, 0);
    }
    Atomics.store(notes, at + 2, ticket());
    pause();
  };
  // Some threads come late, when others are phases ahead or through.
  if (random() < 0.3) sleepFor(10 * random());
  const frame = { workerBase: 0, slotBase: 0, count: 1, firstPhase: 0, patienceMs };
  const functions = [note, () => sleepFor(NAP_MS)];
  const program = { code, functions, kernels: [{ kind: 'note' }, { kind: 'nap' }] };
  parentPort!.postMessage(runProgram(program, control, frame));
});

/** What a worker keeps from step to step. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../src/errors.ts';
import { encodeProgram } from '../../src/model/program.ts';
import { encodeSpecs, type ProgramTask } from '../../src/parallel/bind.ts';
import { createControl, isAborted } from '../../src/parallel/control.ts';
import type { StepTask } from '../../src/parallel/task.ts';
import { createStep } from '../../src/parallel/work.ts';

const { code } = encodeProgram([], []);
const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });

function taskOf(programId: number, runner = 1, generation = 1): StepTask {
  const frame = { workerBase: 0, slotBase: 0, count: 1, firstPhase: 0, patienceMs: 1000 };
  const fixed = {
    memory,
    module: undefined,
    exports: [],
    specs: encodeSpecs([]),
    code,
    control: createControl(0),
  };
  return { ...fixed, programId, runner, generation, worker: 0, ticket: 1, frame };
}

/** A worker's function, and which programs it has bound, in order. */
function watchedStep() {
  const bound: number[] = [];
  const step = createStep(({ programId }: ProgramTask) => {
    bound.push(programId);
    return { code, functions: [], kernels: [] };
  });
  return { step, bound };
}

test('a program is bound once, and again only after eight others were used since', async () => {
  const { step, bound } = watchedStep();
  for (const id of [1, 2, 3, 4, 5, 6, 7, 8, 1, 9, 1, 2]) {
    assert.deepEqual(await step(taskOf(id)), { result: 'left' });
  }
  assert.deepEqual(bound, [1, 2, 3, 4, 5, 6, 7, 8, 9, 2]);
});

test('programs of a memory that the model has left are let go at once', async () => {
  const { step, bound } = watchedStep();
  for (const [id, runner, generation] of [
    [1, 1, 1],
    [2, 2, 1],
    [3, 1, 2],
    [2, 2, 1],
    [1, 1, 1],
  ] as const) {
    await step(taskOf(id, runner, generation));
  }
  assert.deepEqual(bound, [1, 2, 3, 1]);
});

test('an error is reported with its details, and tells the others to stop', async () => {
  const details = { operation: 'program', expected: 'a kernel', received: 'none' };
  const step = createStep(() => {
    throw new ConfigError(details);
  });
  const task = taskOf(1);
  const { result, failure } = await step(task);
  assert.deepEqual([result, failure?.name, failure?.details], ['failed', 'ConfigError', details]);
  assert.ok(isAborted(task.control));
});

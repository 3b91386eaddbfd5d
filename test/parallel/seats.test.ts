/** Workers that stay in their task for the next step: called or gone, never both. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { encodeProgram } from '../../src/model/program.ts';
import { encodeSpecs } from '../../src/parallel/bind.ts';
import { type Control, createControl, MAX_WORKERS, resetControl } from '../../src/parallel/control.ts';
import {
  announcedStep,
  announceStep,
  call,
  engage,
  finishedWorkers,
  finishStep,
  resultOf,
  sendAway,
  stay,
  vacate,
  whenFinished,
} from '../../src/parallel/seats.ts';
import type { StepTask } from '../../src/parallel/task.ts';
import { createStep } from '../../src/parallel/work.ts';

const LONG_MS = 20_000;
const step = { slotBase: 64, count: 3, firstPhase: 1 };

/** A worker that has finished the announced step. */
function finished(control: Control, worker = 0): number {
  const ticket = engage(control, worker);
  finishStep(control, worker, ticket, 'done');
  return ticket;
}

describe('a worker that has finished', () => {
  for (const workers of [1, MAX_WORKERS]) {
    test(`stays until it is called, one of ${workers}, and finds the words of the next step`, async () => {
      const control = createControl(1);
      announceStep(control, workers, step);
      const staying = stay(control, 0, finished(control), LONG_MS);
      await sleep(5);
      resetControl(control);
      announceStep(control, workers, { slotBase: 128, count: 7, firstPhase: 0 });
      assert.ok(call(control, 0));
      assert.ok(!call(control, 0), 'called twice');
      assert.equal(await staying, true);
      assert.deepEqual(announcedStep(control), { slotBase: 128, count: 7, firstPhase: 0 });
      assert.equal(finishedWorkers(control), 0);
    });
  }

  test('leaves when its time is over, and cannot be called any more', async () => {
    const control = createControl(1);
    announceStep(control, 1, step);
    assert.equal(await stay(control, 0, finished(control), 0), false);
    assert.ok(!call(control, 0));
  });

  test('leaves when it is sent away, also where that was said while it was at work', async () => {
    const control = createControl(1);
    announceStep(control, 2, step);
    const early = stay(control, 0, finished(control, 0), LONG_MS);
    const ticket = engage(control, 1);
    sendAway(control, 2);
    finishStep(control, 1, ticket, 'done');
    assert.deepEqual([await early, await stay(control, 1, ticket, LONG_MS)], [false, false]);
    assert.deepEqual([call(control, 0), call(control, 1)], [false, false]);
  });

  test('does not take the call of the next one in its seat for its own', async () => {
    const control = createControl(1);
    announceStep(control, 1, step);
    const first = stay(control, 0, finished(control), LONG_MS);
    sendAway(control, 1);
    announceStep(control, 1, step);
    // All this before the first one looks.
    const second = stay(control, 0, finished(control), LONG_MS);
    assert.ok(call(control, 0));
    assert.deepEqual([await first, await second], [false, true]);
  });
});

test('a seat says whether the task that has ended was at work; an earlier task’s end does not empty it', () => {
  const control = createControl(1);
  announceStep(control, 1, step);
  const first = engage(control, 0);
  assert.ok(vacate(control, 0, first), 'at work');
  const second = finished(control);
  assert.ok(!vacate(control, 0, first));
  assert.ok(call(control, 0));
  assert.ok(!vacate(control, 0, first));
  assert.ok(vacate(control, 0, second));
  assert.ok(!call(control, 0));
  assert.ok(!vacate(control, 0, finished(control)), 'staying');
});

test('tickets begin anew before a seat’s word overflows', async () => {
  const control = createControl(1);
  announceStep(control, 1, step);
  const first = engage(control, 0);
  // The seat as so many tasks leave it.
  const seat = control.findIndex((word, i) => i > 0 && word === first * 4 + 2);
  control[seat] = (2 ** 28 - 1) * 4;
  const ticket = engage(control, 0);
  assert.equal(ticket, 0);
  finishStep(control, 0, ticket, 'done');
  const staying = stay(control, 0, ticket, LONG_MS);
  assert.ok(call(control, 0));
  assert.equal(await staying, true);
  assert.ok(vacate(control, 0, ticket));
  assert.equal(engage(control, 0), 1);
});

test('the main thread hears of the last worker that finishes, and of a verdict', async () => {
  const control = createControl(1);
  announceStep(control, 2, step);
  const tickets = [engage(control, 0), engage(control, 1)] as const;
  const heard = whenFinished(control, 0);
  let isHeard = false;
  void heard?.then(() => {
    isHeard = true;
  });
  finishStep(control, 0, tickets[0], 'nonFinite');
  await turn();
  assert.ok(!isHeard);
  finishStep(control, 1, tickets[1], 'nonFinite');
  await heard;
  assert.equal(whenFinished(control, 0), undefined, 'it is not 0 any more');
  assert.deepEqual([finishedWorkers(control), resultOf(control)], [2, 'nonFinite']);
  announceStep(control, 2, step);
  assert.equal(resultOf(control), 'done');
});

test('a task does all steps that its worker is called to, with its own part of the frame', async () => {
  const control = createControl(1);
  const unit = { firstSample: 0, samples: 8, calls: [{ kernel: 0, args: [] }] };
  const { code } = encodeProgram([{ kind: 'note' }], [{ name: 'phase', units: [unit] }]);
  let runs = 0;
  const note = () => {
    runs += 1;
  };
  const bind = () => ({ code, functions: [note], kernels: [{ kind: 'note' }] });
  const work = createStep(bind, () => LONG_MS);
  announceStep(control, 1, { ...step, firstPhase: 0 });
  const task: StepTask = {
    worker: 0,
    ticket: engage(control, 0),
    programId: 1,
    runner: 1,
    generation: 1,
    memory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }),
    module: undefined,
    exports: [],
    specs: encodeSpecs([]),
    code,
    control,
    frame: { ...step, firstPhase: 0, workerBase: 0, patienceMs: 1000 },
  };
  const report = work(task);
  for (let next = 2; next <= 3; next++) {
    await turn();
    assert.equal(finishedWorkers(control), 1);
    resetControl(control);
    announceStep(control, 1, { ...step, firstPhase: 0 });
    assert.ok(call(control, 0));
    for (let turns = 0; finishedWorkers(control) === 0 && turns < 1000; turns++) await turn();
    assert.equal(runs, next);
  }
  sendAway(control, 1);
  assert.deepEqual(await report, { result: 'left' });
});

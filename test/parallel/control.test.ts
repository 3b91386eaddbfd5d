/** The barrier between phases, on real threads that pause at random. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { abort, createControl, isAborted, resetControl, takeUnit } from '../../src/parallel/control.ts';
import { SEED } from '../helpers/arbitraries.ts';
import { type Crew, createCrew, type Job, type Note } from '../helpers/crew.ts';

const job: fc.Arbitrary<Job> = fc.record({
  units: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 5 }),
  seed: fc.nat(1e6),
});

function assertInOrder(notes: readonly (readonly Note[])[]): void {
  let barrier = 0;
  for (const [phase, units] of notes.entries()) {
    for (const [unit, { runs, began }] of units.entries()) {
      assert.equal(runs, 1, `unit ${unit} of phase ${phase} ran ${runs} times`);
      assert.ok(began > barrier, `unit ${unit} of phase ${phase} began before the phase before was over`);
    }
    barrier = Math.max(barrier, ...units.map(({ ended }) => ended));
  }
}

for (const size of [1, 2, 3, 8]) {
  describe(`with ${size} ${size === 1 ? 'worker' : 'workers'}`, () => {
    let crew: Crew;
    before(() => {
      crew = createCrew(size);
    });
    after(() => crew.close());

    test('every unit runs exactly once, and none before all of the phase before are done', async () => {
      const property = fc.asyncProperty(job, async (each) => {
        const shift = crew.start(each);
        const results = await Promise.all(shift.results);
        assert.deepEqual(new Set(results), new Set(['done']));
        assertInOrder(shift.notes());
      });
      await fc.assert(property, { numRuns: 25, seed: SEED });
    });

    if (size === 1) return;

    test('a unit that never ends makes the others give up once their patience is over', async () => {
      const shift = crew.start({ units: [3, 4, 2], seed: 5, stuck: { phase: 1, unit: 2 }, patienceMs: 150 });
      const ends = await Promise.race([Promise.all(shift.results), allButOne(shift.results)]);
      assert.deepEqual(ends, new Array(size - 1).fill('deadline'));
      assert.ok(shift.notes()[2]!.every(({ runs }) => runs === 0));
      shift.release();
      await Promise.all(shift.results);
    });

    test('the abort word ends the waiting of those who sleep', async () => {
      const shift = crew.start({ units: [3, 4, 2], seed: 6, stuck: { phase: 1, unit: 0 } });
      await shift.stuckBegan();
      abort(shift.control);
      assert.deepEqual(await allButOne(shift.results), new Array(size - 1).fill('aborted'));
      shift.release();
      assert.deepEqual(new Set(await Promise.all(shift.results)), new Set(['aborted']));
      assert.ok(shift.notes()[2]!.every(({ runs }) => runs === 0));
    });

    test('patience starts anew with every kernel call that ends', async () => {
      // One worker calls twelve kernels of 60 ms, the others wait for it.
      const shift = crew.start({ units: [1], seed: 7, patienceMs: 400, naps: 12 });
      assert.deepEqual(new Set(await Promise.all(shift.results)), new Set(['done']));
    });
  });
}

test('control words serve programs of many phases, and are clean after a reset', () => {
  const control = createControl(200);
  assert.equal(takeUnit(control, 199), 0);
  assert.equal(takeUnit(control, 199), 1);
  assert.equal(takeUnit(control, 198), 0);
  abort(control);
  assert.ok(isAborted(control));
  resetControl(control);
  assert.ok(!isAborted(control));
  assert.equal(takeUnit(control, 199), 0);
});

/** The first results but one, in the order of their coming. */
function allButOne<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  return new Promise((resolve, reject) => {
    const results: T[] = [];
    for (const promise of promises) {
      promise.then((result) => {
        results.push(result);
        if (results.length === promises.length - 1) resolve(results);
      }, reject);
    }
  });
}

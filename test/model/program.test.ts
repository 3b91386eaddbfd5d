import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { encodeProgram, MAX_ARGUMENTS, type PlacedPhase, TAG } from '../../src/model/program.ts';
import { createControl } from '../../src/parallel/control.ts';
import { runProgram } from '../../src/parallel/interpreter.ts';
import { SEED } from '../helpers/arbitraries.ts';
import { decodeProgram } from '../helpers/run-plan.ts';

const plain = { noNullPrototype: true } as const;
const argument = fc.record({ tag: fc.constantFrom(...Object.values(TAG)), value: fc.integer() }, plain);
const args = fc.array(argument, { maxLength: MAX_ARGUMENTS, size: 'max' });
const calls = fc.array(fc.record({ kernel: fc.nat(5), args }, plain), { maxLength: 4 });
const unit = fc.record({ firstSample: fc.nat(1000), samples: fc.nat(64), calls }, plain);
const units = fc.array(unit, { maxLength: 5 });
const phases = fc.array(fc.record({ name: fc.string(), units }, plain), { maxLength: 6 });

test('what was encoded can be read back, the full number of arguments and addresses beyond 2 GiB included', () => {
  const property = fc.property(phases, (placed) => {
    const { code, phases: names } = encodeProgram([], placed);
    assert.deepEqual(decodeProgram(code, names), placed);
    assert.ok(code.buffer instanceof SharedArrayBuffer);
  });
  fc.assert(property, { numRuns: 300, seed: SEED });
});

/** Arguments of the calls of a program that a single worker runs. */
function record(placed: readonly PlacedPhase[], count: number, firstPhase = 0): number[][] {
  const { code } = encodeProgram([], placed);
  const seen: number[][] = [];
  const functions = [(...values: number[]) => void seen.push(values)];
  const frame = { workerBase: 1000, slotBase: 2000, count, firstPhase, patienceMs: 1000 };
  assert.equal(runProgram({ code, functions, kernels: [] }, createControl(), frame), 'done');
  return seen;
}

const call = (...values: [tag: number, value: number][]) => ({
  kernel: 0,
  args: values.map(([tag, value]) => ({ tag, value })),
});

test('arguments are taken as they are, from the worker’s base, from the slot’s base, or are the count', () => {
  const all = call([TAG.absolute, 7], [TAG.worker, 7], [TAG.slot, 7], [TAG.count, 7], [TAG.absolute, -1]);
  const placed = [{ name: 'p', units: [{ firstSample: 0, samples: 4, calls: [all] }] }];
  assert.deepEqual(record(placed, 3), [[7, 1007, 2007, 3, -1]]);
});

test('a unit’s count is what the step leaves to it; units beyond the last sample are skipped', () => {
  const unitAt = (firstSample: number) => ({
    firstSample,
    samples: 4,
    calls: [call([TAG.absolute, firstSample], [TAG.count, 0])],
  });
  const placed = [{ name: 'shards', units: [unitAt(0), unitAt(4), unitAt(8)] }];
  assert.deepEqual(record(placed, 12), [
    [0, 4],
    [4, 4],
    [8, 4],
  ]);
  assert.deepEqual(record(placed, 5), [
    [0, 4],
    [4, 1],
  ]);
  assert.deepEqual(record(placed, 4), [[0, 4]]);
});

test('phases run in order, from the first one asked for', () => {
  const phase = (value: number): PlacedPhase => ({
    name: String(value),
    units: [{ firstSample: 0, samples: 1, calls: [call([TAG.absolute, value])] }],
  });
  assert.deepEqual(record([phase(1), phase(2), phase(3)], 1), [[1], [2], [3]]);
  assert.deepEqual(record([phase(1), phase(2), phase(3)], 1, 1), [[2], [3]]);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import type { BufferRef, PlannedBuffer, PlannedCall } from '../../src/layers/layer.ts';
import { plainBuffer, refTo } from '../../src/model/buffers.ts';
import { placePhases } from '../../src/model/scratch.ts';
import { cutStretches } from '../../src/model/stretches.ts';

const [a, b, c] = ['a', 'b', 'c'].map((name) => plainBuffer(name, 'unit', { sampleBytes: 8 })) as [
  PlannedBuffer,
  PlannedBuffer,
  PlannedBuffer,
];

function call(...buffers: PlannedBuffer[]): PlannedCall {
  return { spec: { kind: 'any' }, operands: [...buffers.map((buffer) => refTo(buffer, 1)), 'count'] };
}

const scopes = (calls: readonly PlannedCall[]) =>
  calls.map(({ operands }) => operands.slice(0, -1).map((operand) => (operand as BufferRef).buffer.scope));

test('without meetings nothing moves, and calls stay the same objects', () => {
  const calls = [call(a, b), call(b)];
  const { shards, between } = cutStretches(calls, [], []);
  assert.equal(shards.length, 1);
  assert.equal(shards[0], calls);
  assert.deepEqual(between, [[]]);
});

test('what a later stretch uses moves out of scratch, with its offset; the rest stays', () => {
  const calls = [call(a, b), call(b), call(a, c), call(c)];
  const { shards, between } = cutStretches(calls, [{ after: 2, units: [] }], []);
  assert.deepEqual(shards.map(scopes), [
    [['phases', 'unit'], ['unit']],
    [['phases', 'unit'], ['unit']],
  ]);
  assert.deepEqual(between, [[[]], []]);
  const [first, later] = [shards[0]![0]!.operands[0], shards[1]![0]!.operands[0]] as BufferRef[];
  assert.equal(first!.buffer, later!.buffer);
  assert.equal(first!.offsetBytes, 4);
});

test('what units over the batch read moves as well, at a meeting and at the end', () => {
  const { shards, between } = cutStretches(
    [call(a), call(b)],
    [{ after: 1, units: [[call(a)]] }],
    [[[call(b)]]],
  );
  assert.deepEqual(shards.map(scopes), [[['phases']], [['phases']]]);
  assert.deepEqual(
    between.map((rounds) => rounds.map((units) => units.map(scopes))),
    [[[[['phases']]]], [[[['phases']]]]],
  );
});

test('scratch that belongs to no sample cannot outlive a stretch', () => {
  const scratch = plainBuffer('scratch/x', 'unit', { fixedBytes: 64 });
  assert.throws(() => cutStretches([call(scratch), call(scratch)], [{ after: 1, units: [] }], []), {
    name: 'ConfigError',
    message:
      'plan: scratch/x: expected scratch to be used between two meetings of the shards only, got a use before and ' +
      "after one (keep it in 'saved' (a part for each sample) or 'shared' (one for the batch))",
  });
});

test('buffers of phases share memory where no phase uses both, and keep their zeros to themselves', () => {
  const phase = (name: string, layout = ''): PlannedBuffer => ({
    ...plainBuffer(name, 'phases', { sampleBytes: 64 }),
    layout,
  });
  const [early, late, long] = [phase('early'), phase('late'), phase('long')];
  const [halo, other, same] = [phase('halo', 'x'), phase('other', 'y'), phase('same', 'x')];
  const phases = [[call(early, long, halo)], [call(long)], [call(late, long, other, same)]];
  const addresses = new Map<PlannedBuffer, number>();
  const end = placePhases(phases, 3, 1024, addresses);
  assert.equal(addresses.get(late), addresses.get(early));
  assert.equal(addresses.get(same), addresses.get(halo));
  const distinct = new Set([early, long, halo, other].map((buffer) => addresses.get(buffer)));
  assert.equal(distinct.size, 4);
  assert.equal(end, 1024 + 4 * 3 * 64);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { formatRates, formatRatios, mergeGroups, type PeerRow } from '../../../bench/peers/report.ts';

function row(system: string, batchSize: number, rate: number, more: Partial<PeerRow> = {}): PeerRow {
  return {
    network: 'cifarNotebook',
    system,
    title: system,
    group: undefined,
    task: 'training',
    batchSize,
    measuredBatchSize: batchSize,
    rates: [rate],
    imagesPerSecond: rate,
    peakBytes: 4e8,
    version: '1.0',
    deviation: 0,
    failure: undefined,
    ...more,
  };
}

test('of a group the best counts, measurement by measurement', () => {
  const merged = mergeGroups([
    row('a', 32, 10, { group: 'tuned' }),
    row('a', 128, 40, { group: 'tuned' }),
    row('b', 32, 20, { group: 'tuned' }),
    row('b', 128, Number.NaN, { group: 'tuned' }),
    row('c', 32, 5),
  ]);
  const figures = merged.map(({ system, batchSize, imagesPerSecond }) => [
    system,
    batchSize,
    imagesPerSecond,
  ]);
  assert.deepEqual(figures, [
    ['tuned', 32, 20],
    ['tuned', 128, 40],
    ['c', 32, 5],
  ]);
});

test('ratios are Faltung over the others; what failed has none', () => {
  const rows = [
    row('faltung', 32, 100),
    row('faltung', 128, 200),
    row('a', 32, 50),
    row('a', 128, Number.NaN, { failure: 'Error: too slow' }),
  ];
  const lines = formatRatios(rows).split('\n');
  assert.match(lines[2]!, /^a +2\.00x +-$/);
  assert.equal(lines.length, 3);
  assert.match(formatRates(rows), /a, training, batch 128: Error: too slow/);
});

test('without Faltung there are rates and no ratios', () => {
  assert.match(formatRatios([row('a', 32, 50)]), /^a +-$/m);
});

test('rates on smaller batches are marked', () => {
  const text = formatRates([row('a', 32, 1.5, { measuredBatchSize: 4 })]);
  assert.match(text, /1\.50\*/);
  assert.match(text, /smaller batches/);
});

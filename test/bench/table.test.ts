import assert from 'node:assert/strict';
import test from 'node:test';
import { digits, formatTable, percent, times } from '../../bench/table.ts';

test('columns are as wide as their widest cell, numbers stand to the right', () => {
  const rows = [
    { name: 'direct', rate: 9.5 },
    { name: 'F(4,3)', rate: 1234 },
  ];
  const table = formatTable(
    [
      { title: 'by', text: ({ name }) => name, align: 'left' as const },
      { title: 'rate', text: ({ rate }) => digits(rate) },
    ],
    rows,
  );
  assert.deepEqual(table.split('\n'), ['by      rate', '------  ----', 'direct  9.50', 'F(4,3)  1234']);
});

test('a table without rows has its heading', () => {
  assert.equal(formatTable([{ title: 'ms', text: () => '' }], []), 'ms\n--');
});

test('numbers have three significant digits and no exponent', () => {
  assert.deepEqual([1234.5, 123.4, 12.34, 1.234, 0.01234, 0].map(digits), [
    '1235',
    '123',
    '12.3',
    '1.23',
    '0.0123',
    '0',
  ]);
  assert.equal(digits(-12.34), '-12.3');
  assert.equal(digits(Number.NaN), '-');
  assert.equal(percent(0.8512), '85%');
  assert.equal(percent(0.0512, 1), '5.1%');
  assert.equal(times(2.934), '2.93x');
  assert.equal(times(Number.NaN), '-');
});

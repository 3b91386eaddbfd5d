import assert from 'node:assert/strict';
import test from 'node:test';
import {
  activation,
  conv2d,
  conv2dTranspose,
  dense,
  dropout,
  flatten,
  prelu,
} from '../../src/layers/index.ts';
import { sequentialGraph } from '../../src/model/graph.ts';
import { formatCount, summarize, summaryRows } from '../../src/model/summary.ts';

test('a row a layer: parameters and multiply-adds with groups, strides and biases counted', () => {
  const graph = sequentialGraph(
    [8, 8, 4],
    [
      conv2d({ filters: 6, kernelSize: 3, groups: 2, strides: 2, activation: 'gelu' }),
      conv2dTranspose({ filters: 2, kernelSize: 2, strides: 2, useBias: false }),
      prelu({}),
      flatten(),
      dropout({ rate: 0.5 }),
      dense({ units: 5 }),
      activation({ function: 'softmax' }),
    ],
  );
  assert.deepEqual(
    summaryRows(graph).map(({ name, outputShape, parameters, multiplyAdds }) => [
      name,
      outputShape,
      parameters,
      multiplyAdds,
    ]),
    [
      ['conv2d', [3, 3, 6], 3 * 3 * 2 * 6 + 6, 9 * 3 * 3 * 2 * 6],
      ['conv2dTranspose', [6, 6, 2], 2 * 2 * 2 * 6, 9 * 2 * 2 * 2 * 6],
      ['prelu', [6, 6, 2], 2, 0],
      ['flatten', [72], 0, 0],
      ['dropout', [72], 0, 0],
      ['dense', [5], 72 * 5 + 5, 72 * 5],
      ['activation', [5], 0, 0],
    ],
  );
});

test('the table aligns its columns and ends with the totals', () => {
  const graph = sequentialGraph([1000], [dense({ units: 1234, name: 'wide' }), dense({ units: 2 })]);
  assert.equal(
    summarize(graph),
    [
      'Layer (type)   Output shape  Parameters  Multiply-adds',
      '------------------------------------------------------',
      'wide (dense)   [N, 1234]      1,235,234      1,234,000',
      'dense (dense)  [N, 2]             2,470          2,468',
      '------------------------------------------------------',
      'Parameters: 1,237,704',
      'Multiply-adds of the forward pass: 1,236,468 an image',
    ].join('\n'),
  );
});

test('counts have commas', () => {
  assert.deepEqual([0, 999, 1000, 123456, 1234567].map(formatCount), [
    '0',
    '999',
    '1,000',
    '123,456',
    '1,234,567',
  ]);
});

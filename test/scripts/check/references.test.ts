/** Documents that name files which are not there are caught; placeholders and addresses are not. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { checkReferences } from '../../../scripts/check/references.ts';

const offences = (text: string, path = 'docs/a.md') =>
  checkReferences([
    { path, text },
    { path: 'src/layers/dense.ts', text: '' },
    { path: 'README.md', text: '' },
  ]).map(({ line, message }) => `${line} ${message}`);

test('a path or a link that leads nowhere is caught with its line', () => {
  assert.deepEqual(offences('| dense |\n| src/layers/dense2.ts, src/layers/dense.ts |'), [
    '2 names src/layers/dense2.ts, which does not exist',
  ]);
  assert.deepEqual(offences('`test/kernels/gone.test.ts`'), [
    '1 names test/kernels/gone.test.ts, which does not exist',
  ]);
  assert.deepEqual(offences('see [it](../src/layers/gone.ts) and [that](b.md#part)'), [
    '1 names src/layers/gone.ts, which does not exist',
    '1 names docs/b.md, which does not exist',
  ]);
});

test('files, folders, placeholders, addresses and other texts are not', () => {
  const text = [
    '[dense](../src/layers/dense.ts), [all](../src/layers/), [start](../README.md#setting-up), [here](#below)',
    'src/layers/NAME.ts and test/layers/NAME.test.ts, src/layers/',
    '[site](https://example.org/src/gone.ts), https://example.org/test/gone.ts, test/kernels/{adam,sgd}.test.ts',
  ].join('\n');
  assert.deepEqual(offences(text), []);
  assert.deepEqual(offences('src/gone.ts', 'src/other.ts'), []);
});

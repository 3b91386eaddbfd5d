/** Which tests are run for a mutant, and in which order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mirrors, relevantTests } from '../../../scripts/mutate/relevant-tests.ts';

const sources = [
  { path: 'src/kernels/a.ts', text: '' },
  { path: 'src/kernels/index.ts', text: "export * from './a.ts';" },
  { path: 'src/kernels/b.ts', text: '' },
  { path: 'test/helpers/run.ts', text: "import { a } from '../../src/kernels/index.ts';" },
  { path: 'test/kernels/a.test.ts', text: "import '../helpers/run.ts';" },
  { path: 'test/kernels/b.test.ts', text: "import { b } from '../../src/kernels/b.ts';" },
  { path: 'test/model/z.test.ts', text: "import { a } from '../../src/kernels/index.ts';" },
  { path: 'test/model/far.test.ts', text: "import '../helpers/run.ts';" },
  { path: 'test/scripts/s.test.ts', text: "import { a } from '../../src/kernels/index.ts';" },
];

test('the mirror comes first, then the nearest; who does not reach the file is not run, nor are commands', () => {
  assert.deepEqual(relevantTests(sources, 'src/kernels/a.ts'), [
    'test/kernels/a.test.ts',
    'test/model/z.test.ts',
    'test/model/far.test.ts',
  ]);
  assert.deepEqual(relevantTests(sources, 'src/kernels/b.ts'), ['test/kernels/b.test.ts']);
});

test('a twin and the passes of one kernel are mirrored by the tests of their family', () => {
  assert.ok(mirrors('src/kernels/simd/conv2d-forward.ts', 'test/kernels/simd/conv2d.test.ts'));
  assert.ok(mirrors('src/kernels/simd/adam.ts', 'test/kernels/adam.test.ts'));
  assert.ok(mirrors('src/kernels/softmax-forward.ts', 'test/kernels/softmax.test.ts'));
  assert.ok(!mirrors('src/kernels/softmax-forward.ts', 'test/kernels/softmax-cross-entropy.test.ts'));
  assert.ok(!mirrors('src/kernels/adam.ts', 'test/training/adam.test.ts'));
  assert.ok(!mirrors('src/kernels/conv2d-forward.ts', 'test/kernels/convolution.test.ts'));
});

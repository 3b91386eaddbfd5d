/** The direction of imports: what the architecture's table allows passes, the reverse is caught. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { checkDirections } from '../../../scripts/check/directions.ts';

/** The messages for one file that imports one thing. */
const judge = (path: string, specifier: string): string[] =>
  checkDirections([{ path, text: `import { x } from '${specifier}';\n` }]).map(({ message }) => message);

const allowed: readonly (readonly [path: string, specifier: string])[] = [
  ['src/tensor/shape.ts', '../math/exp.ts'],
  ['src/tensor/shape.ts', './view.ts'],
  ['src/math/exp.ts', '../errors.ts'],
  ['src/kernels/simd/dense.ts', '../dense.ts'],
  ['src/kernels/simd/dense.ts', './assembler/index.ts'],
  ['src/kernels/simd/assembler/module.ts', '../../kernel.ts'],
  ['src/parallel/pool.ts', 'piscina'],
  ['src/parallel/pool.ts', 'node:worker_threads'],
  ['src/parallel/pool.ts', '../kernels/simd/index.ts'],
  ['src/data/cifar10.ts', 'node:fs/promises'],
  ['src/training/fit.ts', '../io/checkpoint.ts'],
  ['src/index.ts', './zoo/vgg16.ts'],
  ['workers/worker.ts', '../src/parallel/barrier.ts'],
  ['workers/worker.ts', '../src/errors.ts'],
  ['scripts/train-cifar.ts', '../src/index.ts'],
  ['test/kernels/dense.test.ts', '../../src/kernels/dense.ts'],
  ['test/kernels/dense.test.ts', 'fast-check'],
  ['bench/run.ts', 'tinybench'],
];

const refused: readonly (readonly [path: string, specifier: string, message: string])[] = [
  ['src/math/exp.ts', '../tensor/shape.ts', 'src/math may not import from src/tensor'],
  ['src/kernels/dense.ts', './simd/dense.ts', 'src/kernels may not import from src/kernels/simd'],
  ['src/layers/dense.ts', '../kernels/simd/dense.ts', 'src/layers may not import from src/kernels/simd'],
  ['src/layers/dense.ts', '../parallel/pool.ts', 'src/layers may not import from src/parallel'],
  ['src/model/plan.ts', '../training/fit.ts', 'src/model may not import from src/training'],
  ['src/data/cifar10.ts', '../training/fit.ts', 'src/data may not import from src/training'],
  ['src/training/fit.ts', '../index.ts', 'src/training may not import from src/index.ts'],
  ['src/tensor/shape.ts', '../../scripts/check.ts', 'src/tensor may not import from scripts'],
  ['src/errors.ts', './math/exp.ts', 'src/errors.ts may not import from src/math'],
  ['src/layers/dense.ts', 'node:fs', "src/layers may not import the package 'node:fs'"],
  ['src/layers/dense.ts', 'fs', "src/layers may not import the package 'fs'"],
  ['src/data/cifar10.ts', 'piscina', "src/data may not import the package 'piscina'"],
  ['src/training/fit.ts', 'piscina', "src/training may not import the package 'piscina'"],
  ['src/index.ts', 'node:os', "src/index.ts may not import the package 'node:os'"],
  ['workers/worker.ts', '../src/layers/dense.ts', 'workers may not import from src/layers'],
  ['scripts/check.ts', '../test/helpers/oracle.ts', 'scripts may not import from test'],
  ['src/io/onnx.ts', '../../README.md', "'../../README.md' lies outside the source folders"],
];

for (const [path, specifier] of allowed) {
  test(`${path} may import ${specifier}`, () => assert.deepEqual(judge(path, specifier), []));
}

for (const [path, specifier, message] of refused) {
  test(`${path} may not import ${specifier}`, () => assert.deepEqual(judge(path, specifier), [message]));
}

test('type-only imports count, and the line is named', () => {
  const text = `/** First line. */\nimport type { Pool } from '../parallel/pool.ts';\n`;
  const [offence] = checkDirections([{ path: 'src/layers/dense.ts', text }]);
  assert.equal(offence?.line, 2);
});

test('a new folder needs a rule before it gets files', () => {
  const [offence] = checkDirections([{ path: 'src/utils/misc.ts', text: '' }]);
  assert.match(offence?.message ?? '', /no rule covers this folder/);
});

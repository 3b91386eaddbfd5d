/** Imports are found in every form they take, and only where they are. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { checkImports, importsOf, resolveImport } from '../../../scripts/check/imports.ts';

const source = `import a from './a.ts';
import type { B } from "./b.ts";
import { c, type D } from
  './c.ts';
import './d.ts';
export * from './e.ts';
export { f } from './f.ts';
const g = await import('./g.ts');
type H = typeof import('./h.ts');
// import x from './comment.ts';
const text = "import y from './string.ts'";
const z = Array.from('abc');
const meta = import.meta.url;
`;

test('every form of import is found with its line', () => {
  const found = importsOf(source).map(({ specifier, line }) => `${line} ${specifier}`);
  const expected = [
    '1 ./a.ts',
    '2 ./b.ts',
    '3 ./c.ts',
    '5 ./d.ts',
    '6 ./e.ts',
    '7 ./f.ts',
    '8 ./g.ts',
    '9 ./h.ts',
  ];
  assert.deepEqual(found, expected);
});

test('the offset is that of the specifier', () => {
  for (const { specifier, offset } of importsOf(source)) assert.ok(source.startsWith(specifier, offset));
});

test('a relative specifier is resolved from its file', () => {
  assert.equal(resolveImport('src/kernels/simd/dense.ts', '../../math/exp.ts'), 'src/math/exp.ts');
  assert.equal(resolveImport('src/index.ts', './errors.ts'), 'src/errors.ts');
});

test('an import of a missing file is an offence, one of a present file or of a package is not', () => {
  const files = [
    {
      path: 'src/a.ts',
      text: `import fs from 'node:fs';\nimport { b } from './b.ts';\nimport './gone.ts';\n`,
    },
    { path: 'src/b.ts', text: `import { a } from './a';\n` },
  ];
  assert.deepEqual(checkImports(files), [
    { path: 'src/a.ts', line: 3, message: "imports './gone.ts', which does not exist" },
    { path: 'src/b.ts', line: 1, message: "imports './a', which does not exist" },
  ]);
});

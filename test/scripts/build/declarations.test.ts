/** Declarations import each other as the JavaScript that is beside them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { publishedAmbient, rewriteDeclarations } from '../../../scripts/build/declarations.ts';

test('relative .ts imports of all forms become .js', () => {
  const text = `import type { A } from './a.ts';\nexport * from '../b.ts';\nexport declare const c: typeof import("./c.ts");\n`;
  const expected = `import type { A } from './a.js';\nexport * from '../b.js';\nexport declare const c: typeof import("./c.js");\n`;
  assert.equal(rewriteDeclarations(text), expected);
});

test('packages, comments, strings and declaration files stay as they are', () => {
  const text = `import x from 'node:fs';\nimport y from 'pkg/a.ts';\n// from './a.ts'\ntype T = './a.ts';\nimport './g.d.ts';\n`;
  assert.equal(rewriteDeclarations(text), text);
});

test('an ambient namespace is published as empty interfaces, which merge with any other declaration of it', () => {
  const text = `/** class Comment {} */
declare namespace WebAssembly {
  interface Options {
    readonly shared?: boolean;
  }
  class Memory {
    constructor(options: Options);
  }
  class Failure extends Error {}
  function validate(): boolean;
}
`;
  const expected =
    'declare namespace WebAssembly {\n  interface Options {}\n  interface Memory {}\n  interface Failure {}\n}\n';
  assert.equal(publishedAmbient(text), expected);
});

test('ambient declarations of another kind are refused', () => {
  for (const text of ['declare const x: number;\n', 'declare namespace A {}\ndeclare namespace B {}\n', '']) {
    assert.throws(() => publishedAmbient(text), /one "declare namespace"/);
  }
});

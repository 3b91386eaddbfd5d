import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkDocs } from '../../../scripts/check/docs.ts';

const pages = new Map([
  ['README.md', 'index'],
  ['data.md', 'data'],
]);
const committed = [
  { path: 'docs/api/README.md', text: 'index' },
  { path: 'docs/api/data.md', text: 'data' },
  { path: 'docs/numerics.md', text: 'other' },
];

test('pages that are as rendered are no offence', () => {
  assert.deepEqual(checkDocs(committed, pages), []);
});

test('a page that differs, is missing, or is left over is one', () => {
  const changed = committed.map((file) => (file.path.endsWith('data.md') ? { ...file, text: 'old' } : file));
  const paths = (files: typeof committed) => checkDocs(files, pages).map(({ path }) => path);
  assert.deepEqual(paths(changed), ['docs/api/data.md']);
  assert.deepEqual(paths(committed.slice(1)), ['docs/api/README.md']);
  assert.deepEqual(paths([...committed, { path: 'docs/api/gone.md', text: '' }]), ['docs/api/gone.md']);
  assert.match(checkDocs([], pages)[0]!.message, /run "npm run docs"/);
});

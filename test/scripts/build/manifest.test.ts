/** The published manifest: what is carried over, what stays at home, and that exports lead to files. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { exportTargets, publishedManifest } from '../../../scripts/build/manifest.ts';

const own = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
const published = publishedManifest(own);

test('name, version, dependencies and engines are those of the repository', () => {
  for (const field of ['name', 'version', 'type', 'license', 'dependencies', 'engines']) {
    assert.ok(own[field] !== undefined, field);
    assert.deepEqual(published[field], own[field]);
  }
});

test("development's fields are left out: the pinned Node, scripts, private", () => {
  for (const field of ['optionalDependencies', 'devDependencies', 'scripts', 'private', 'files']) {
    assert.equal(published[field], undefined);
  }
});

test('exports name declarations first, then JavaScript', () => {
  const entry = (published.exports as Record<string, object>)['.'] ?? {};
  assert.deepEqual(Object.entries(entry), [
    ['types', './src/index.d.ts'],
    ['default', './src/index.js'],
  ]);
});

test('all targets of exports are listed, however deep', () => {
  const exports = {
    '.': { types: './a.d.ts', node: { import: './a.js' } },
    './package.json': './package.json',
  };
  assert.deepEqual(exportTargets(exports), ['./a.d.ts', './a.js', './package.json']);
  assert.deepEqual(exportTargets('./a.js'), ['./a.js']);
});

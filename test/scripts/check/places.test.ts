/** Paths of one machine and hosts of packages are caught; addresses that look alike are not. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { checkPlaces } from '../../../scripts/check/places.ts';

const lines = (text: string, path = 'docs/a.md') => checkPlaces([{ path, text }]).map(({ line }) => line);

// Joined here so that this file does not offend against the check itself.
const path = (...parts: string[]): string => parts.join('');

test('paths into a home folder are caught with their line', () => {
  assert.deepEqual(lines(`first\nsee ${path('/ho', 'me/ada/faltung')}`), [2]);
  assert.deepEqual(lines(`see ${path('/Us', 'ers/ada/faltung')}`), [1]);
  assert.deepEqual(lines(`see ${path('/ro', 'ot/faltung')}`), [1]);
  assert.deepEqual(lines(`see ${path('C:\\Us', 'ers\\ada')}`), [1]);
});

test('addresses and relative paths are not', () => {
  for (const text of [
    path('example.org/ho', 'me/page'),
    path('./ro', 'ot/a'),
    path('src/ho', 'me/a.ts'),
    '~/x',
  ]) {
    assert.deepEqual(lines(text), []);
  }
});

test('the lock file names no host', () => {
  const text = '{\n"resolved": "https://example.org/a.tgz"\n}';
  assert.deepEqual(lines(text, 'package-lock.json'), [2]);
  assert.deepEqual(lines(text, 'other.json'), []);
});

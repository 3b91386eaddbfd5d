/** The file that a soak goes on from. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { addFailure, addFigures, freshState, readState, writeState } from '../../../scripts/soak/state.ts';
import { FormatError } from '../../../src/errors.ts';

test('a state comes back as it was, and nothing lies beside it', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'faltung-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'deep', 'x.json');
  assert.equal(readState(file), undefined);
  const state = freshState('x', 5);
  addFigures(state, { largest: { ratio: 0.5 }, total: { refused: 2 } });
  addFigures(state, { largest: { ratio: 0.25 }, total: { refused: 3 } });
  addFigures(state, undefined);
  addFailure(state, 7, new TypeError('wrong'));
  addFailure(state, 8, 'thrown text');
  writeState(file, state);
  writeState(file, state);
  assert.deepEqual(readState(file), state);
  assert.deepEqual([state.largest.ratio, state.total.refused, state.failed], [0.5, 5, 2]);
  assert.deepEqual(readdirSync(path.dirname(file)), ['x.json']);
});

test('what is not a state is refused by name', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'faltung-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'x.json');
  for (const text of ['', 'null', '3', '{"format":"faltung-soak","version":2}', '{"format":"faltung-so']) {
    writeFileSync(file, text);
    assert.throws(
      () => readState(file),
      (error) => {
        const words = ["expected a soak's state, version 1", '--fresh replaces it', file];
        return error instanceof FormatError && words.every((part) => error.message.includes(part));
      },
    );
  }
});

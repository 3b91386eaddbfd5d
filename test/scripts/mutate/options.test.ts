/** The command line of the mutation run. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { HELP, parseMutateOptions } from '../../../scripts/mutate/options.ts';
import { ConfigError } from '../../../src/errors.ts';

const SCRIPT = path.resolve(import.meta.dirname, '../../../scripts/mutate.ts');

test('options are read, and what makes no sense is refused', () => {
  const defaults = { count: 200, seed: 21, files: undefined, again: false, list: false, help: false };
  assert.deepEqual(parseMutateOptions([]), defaults);
  const line = '--count 3 --seed 0 --files src/*.ts --again --list --help';
  assert.deepEqual(parseMutateOptions(line.split(' ')), {
    count: 3,
    seed: 0,
    files: 'src/*.ts',
    again: true,
    list: true,
    help: true,
  });
  for (const name of Object.keys(defaults)) assert.match(HELP, new RegExp(`^  --${name}\\b`, 'm'));
  for (const args of ['--count=0', '--seed=x', '--frob', 'x']) {
    assert.throws(() => parseMutateOptions([args]), ConfigError, args);
  }
  assert.throws(
    () => parseMutateOptions(['--count=0']),
    /mutate: --count: expected a whole number from 1 on, got "0"/,
  );
});

test('--list prints mutants of the files asked for; a glob that names none is refused', () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' });
  const listed = run('--list', '--count', '5', '--files', 'src/kernels/adam.ts');
  assert.equal(listed.status, 0, listed.stderr);
  assert.equal(listed.stdout.match(/^src\/kernels\/adam\.ts:\d+ \(\w+\)$/gm)?.length, 5);
  const none = run('--files', 'src/nothing/*.ts');
  assert.equal(none.status, 2);
  assert.match(none.stderr, /--files: expected a glob that names some file in src\//);
});

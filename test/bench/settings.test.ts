import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import test from 'node:test';
import { parseSettings } from '../../bench/settings.ts';
import { ConfigError } from '../../src/errors.ts';

test('without arguments all suites run, on drawn images and all processors', () => {
  assert.deepEqual(parseSettings([]), {
    filter: [],
    json: undefined,
    quick: false,
    threads: availableParallelism(),
    data: 'synthetic',
    help: false,
  });
});

test('options are read as --help says', () => {
  const args = ['--filter', 'micro,step', '--json', 'x.json', '--quick', '--threads', '3', '--data', 'd'];
  assert.deepEqual(parseSettings(args), {
    filter: ['micro', 'step'],
    json: 'x.json',
    quick: true,
    threads: 3,
    data: 'd',
    help: false,
  });
});

test('what makes no sense is refused by name', () => {
  const refused = (...args: string[]) => {
    assert.throws(() => parseSettings(args), ConfigError);
    assert.throws(() => parseSettings(args), new RegExp(args[0]!));
  };
  refused('--threads', '0');
  refused('--threads', 'two');
  refused('--nonsense');
  assert.throws(() => parseSettings(['leftover']), ConfigError);
});

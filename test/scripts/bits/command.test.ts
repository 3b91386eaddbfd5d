import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { run } from '../../../scripts/bits/nodes.ts';

const SCRIPT = path.resolve(import.meta.dirname, '../../../scripts/bits.ts');

function bits(...args: string[]) {
  return spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' });
}

test('--help says what is fetched, and what the exit codes mean', () => {
  const { status, stdout } = bits('--help');
  assert.equal(status, 0);
  assert.match(stdout, /--nodes A,B .*20\.19\.0/);
  assert.match(stdout, /3 all equal, but some could not be tried/);
});

test('options that it does not know are refused', () => {
  for (const args of [['--nodes', '20'], ['--arm', 'yes'], ['--node', '20.19.0'], ['more']]) {
    const { status, stderr } = bits(...args);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, /^bits: /);
  }
});

test('a tool that fails is named with the last line that it said', () => {
  const script = "console.error('first'); console.error('it broke'); process.exit(4)";
  assert.throws(() => run([process.execPath, '-e', script], '.'), {
    message: `${process.execPath} -e: exit code 4, it broke`,
  });
  assert.throws(() => run(['no-such-program'], '.'), /no-such-program: .*ENOENT/);
});

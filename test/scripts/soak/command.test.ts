/** `npm run soak` as it is used: without a terminal, interrupted, continued, with wrong options. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { soaks } from '../../../scripts/soak/index.ts';
import { HELP, parseSoakOptions } from '../../../scripts/soak/options.ts';
import { soakProgress } from '../../../scripts/soak/progress.ts';
import { freshState } from '../../../scripts/soak/state.ts';
import { ConfigError } from '../../../src/errors.ts';

const SCRIPT = fileURLToPath(new URL('../../../scripts/soak.ts', import.meta.url));

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'faltung-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Runs the command in a folder; sends it SIGINT once the state file is there, where asked to. */
async function soak(cwd: string, args: string, { interrupt = false } = {}) {
  const child = spawn(process.execPath, [SCRIPT, ...args.split(' ')], { cwd, timeout: 60_000 });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const code = new Promise((resolve) => child.on('close', resolve));
  if (interrupt) {
    const name = /--what (\S+)/.exec(args)![1]!;
    while (child.exitCode === null && stateOf(cwd, name) === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill('SIGINT');
  }
  return { code: await code, stdout, stderr };
}

function stateOf(cwd: string, name: string): { next: number } | undefined {
  try {
    return JSON.parse(readFileSync(path.join(cwd, 'runs', 'soak', `${name}.json`), 'utf8'));
  } catch {
    return undefined;
  }
}

test('an interrupted run keeps what it has done; the same command goes on, a third finds it done', async (t) => {
  const cwd = folderOf(t);
  const stopped = await soak(cwd, '--what adjoint --count 1000000', { interrupt: true });
  assert.equal(stopped.code, 130, stopped.stderr);
  assert.match(stopped.stdout, /Stopped after \d+ of 1000000; the same command without --fresh goes on/);
  const done = stateOf(cwd, 'adjoint')!.next;
  const count = done + 20;
  const rest = await soak(cwd, `--what adjoint --count ${count}`);
  assert.equal(rest.code, 0, rest.stderr);
  if (done > 0) assert.match(rest.stdout, new RegExp(`^Going on after ${done} configurations, 0 failed`));
  assert.match(
    rest.stdout,
    new RegExp(`adjoint: ${count} configurations, 0 failed, seed 21, .*error/bound 0`),
  );
  const again = await soak(cwd, `--what adjoint --count ${count}`);
  assert.equal(again.code, 0);
  assert.match(again.stdout, /^Done already \(--fresh starts over\)/);
  const other = await soak(cwd, '--what adjoint --count 5 --seed 3');
  assert.equal(other.code, 2);
  assert.match(other.stderr, /--seed: expected 21, of the run in .*, got 3 \(--fresh starts over\)/);
  const fresh = await soak(cwd, '--what adjoint --count 5 --seed 3 --fresh');
  assert.match(fresh.stdout, /^adjoint: 5 configurations, 0 failed, seed 3/);
});

test('one trial runs by itself; a damaged state is refused', async (t) => {
  const cwd = folderOf(t);
  const one = await soak(cwd, '--what toeplitz --index 12');
  assert.match(one.stdout, /^toeplitz, seed 21, index 12: passed, largest error\/bound \d/);
  assert.equal(stateOf(cwd, 'toeplitz'), undefined);
  await soak(cwd, '--what toeplitz --count 2');
  writeFileSync(path.join(cwd, 'runs', 'soak', 'toeplitz.json'), '{');
  const refused = await soak(cwd, '--what toeplitz --count 4');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /expected a soak's state/);
});

test('the list has every soak; an unknown one is refused', async (t) => {
  const cwd = folderOf(t);
  const listed = await soak(cwd, '--what list');
  assert.equal(listed.code, 0);
  for (const { name } of soaks) assert.match(listed.stdout, new RegExp(`^${name} `, 'm'));
  const unknown = await soak(cwd, '--what nothing');
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /--what: expected list, adjoint or .*, got "nothing"/);
});

test('options are read, and what makes no sense is refused', () => {
  assert.deepEqual(parseSoakOptions([]), {
    what: 'list',
    count: undefined,
    seed: 21,
    index: undefined,
    fresh: false,
    help: false,
  });
  const line = '--what x --count 5 --seed 0 --index 0 --fresh';
  assert.deepEqual(parseSoakOptions(line.split(' ')), {
    what: 'x',
    count: 5,
    seed: 0,
    index: 0,
    fresh: true,
    help: false,
  });
  for (const name of ['what', 'count', 'seed', 'index', 'fresh', 'help']) {
    assert.match(HELP, new RegExp(`^  --${name}\\b`, 'm'));
  }
  for (const args of [
    '--count=0',
    '--count=1e3',
    '--seed=-1',
    '--seed=2147483648',
    '--index=x',
    '--frob',
    'x',
  ]) {
    assert.throws(() => parseSoakOptions([args]), ConfigError, args);
  }
  assert.throws(
    () => parseSoakOptions(['--seed=2147483648']),
    /soak: --seed: expected a whole number from 0 to 2147483647, got "2147483648"/,
  );
});

test('a terminal gets a bar, with rate, time left and failures', () => {
  let shown = '';
  const stream = new Writable({
    write(chunk, _, done) {
      shown += chunk;
      done();
    },
  }) as unknown as NodeJS.WriteStream;
  // What cli-progress asks of a terminal.
  Object.assign(stream, { isTTY: true, columns: 120, cursorTo() {}, clearLine() {}, moveCursor() {} });
  const state = freshState('adjoint', 1);
  const progress = soakProgress(soaks[0]!, state, 100, stream);
  progress.show({ ...state, next: 50, failed: 2 });
  progress.stop();
  assert.match(shown, /adjoint .*50\/100 \| \S+ configurations\/s \| 0:00 left \| 2 failed/);
});

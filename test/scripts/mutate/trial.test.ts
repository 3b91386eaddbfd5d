/** A mutant is caught by a failing or hanging test, survives passing ones, and leaves nothing behind. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { readSources } from '../../../scripts/check/files.ts';
import { mutantsOf } from '../../../scripts/mutate/mutants.ts';
import { caughtShare, disproved, formatReport } from '../../../scripts/mutate/report.ts';
import { openSandbox } from '../../../scripts/mutate/sandbox.ts';
import { keyOf, readMutationState, writeMutationState } from '../../../scripts/mutate/state.ts';
import { readSurvivors } from '../../../scripts/mutate/survivors.ts';
import { tryMutant } from '../../../scripts/mutate/trial.ts';

const SOURCE = `export function half(n: number): number {
  let i = 0;
  while (2 * i < n) i += 1;
  return i;
}
export const unused = 3;
`;
const TEST = `import { test } from 'node:test';
import assert from 'node:assert/strict';
import { half } from '../../src/kernels/half.ts';
test('half of 6 and of 7', () => {
  assert.equal(half(6), 3);
  assert.equal(half(7), 4);
});
`;

/** A small repository. */
function repository(t: TestContext): string {
  const root = mkdtempSync(path.join(tmpdir(), 'faltung-test-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const folder of ['src/kernels', 'test/kernels', 'node_modules']) {
    mkdirSync(path.join(root, folder), { recursive: true });
  }
  writeFileSync(path.join(root, 'package.json'), '{ "type": "module" }');
  writeFileSync(path.join(root, 'src/kernels/half.ts'), SOURCE);
  writeFileSync(path.join(root, 'test/kernels/half.test.ts'), TEST);
  return root;
}

const FILE = 'src/kernels/half.ts';
const mutants = mutantsOf(FILE, SOURCE);
const mutantOf = (after: string) => mutants.find((mutant) => mutant.after === after)!;

test('a wrong result is caught, what no test sees survives, the repository stays as it is', async (t) => {
  const root = repository(t);
  const sources = readSources(root);
  const sandbox = openSandbox(root);
  t.after(() => sandbox.close());
  const baselines = {};
  const wrong = await tryMutant(sandbox, sources, mutantOf('while ((2 * i <= n)) i += 1;'), baselines);
  assert.equal(wrong?.status, 'caught');
  assert.match(wrong.by!, /^test\/kernels\/half\.test\.ts: half of 6 and of 7/);
  const untried = await tryMutant(sandbox, sources, mutantOf('while ((2 * i <= n)) i += 1;'), baselines, 0);
  assert.equal(untried?.status, 'survived', 'on as many tests as asked for: none');
  const unseen = await tryMutant(sandbox, sources, mutantOf('export const unused = (3 + 1);'), baselines);
  assert.deepEqual([unseen?.status, unseen?.by], ['survived', undefined]);
  assert.deepEqual(Object.keys(baselines), ['test/kernels/half.test.ts']);
  assert.equal(readFileSync(path.join(root, FILE), 'utf8'), SOURCE);
  assert.equal(readFileSync(path.join(sandbox.root, FILE), 'utf8'), SOURCE);
  sandbox.close();
  assert.ok(!existsSync(sandbox.root));
});

test('a test that hangs is ended at its limit, one that is interrupted says so', async (t) => {
  const root = repository(t);
  const sandbox = openSandbox(root);
  t.after(() => sandbox.close());
  const hanging = SOURCE.replace('i += 1', 'i += 0');
  const run = () => sandbox.run('test/kernels/half.test.ts', 1.5);
  assert.equal((await sandbox.withFile(FILE, hanging, run)).verdict, 'timeout');
  const broken = await sandbox.withFile(FILE, 'export const half = ;', () =>
    sandbox.run('test/kernels/half.test.ts', 60),
  );
  assert.equal(broken.verdict, 'failed');
  assert.equal((await sandbox.run('test/kernels/half.test.ts', 60)).verdict, 'passed');
  setTimeout(() => sandbox.interrupt(), 100);
  const long = () => sandbox.run('test/kernels/half.test.ts', 60);
  assert.equal((await sandbox.withFile(FILE, hanging, long)).verdict, 'interrupted');
});

test('a test that fails without a mistake ends the run', async (t) => {
  const root = repository(t);
  writeFileSync(path.join(root, 'test/kernels/half.test.ts'), TEST.replace('half(7), 4', 'half(7), 5'));
  const sandbox = openSandbox(root);
  t.after(() => sandbox.close());
  await assert.rejects(
    tryMutant(sandbox, readSources(root), mutants[0]!, {}),
    /test\/kernels\/half\.test\.ts failed without a mistake: half of 6 and of 7/,
  );
});

test('the report counts caught, explained and surviving mutants; an explanation that a test disproves shows', () => {
  const outcome = (status: 'caught' | 'survived') => ({ status, by: undefined, seconds: 1 });
  const tried = mutants
    .slice(0, 4)
    .map((mutant, i) => ({ mutant, outcome: outcome(i < 2 ? 'caught' : 'survived') }));
  const explain = ({ file, before, after }: (typeof mutants)[number]) => ({
    file,
    before,
    after,
    reason: 'equal',
  });
  assert.equal(caughtShare(tried, []), 0.5);
  const list = [explain(mutants[2]!)];
  assert.equal(caughtShare(tried, list), 2 / 3);
  assert.match(formatReport(tried, list), /4 mutants: 2 of 3 caught \(66\.7%\), 1 equivalent$/);
  assert.ok(formatReport(tried, list).includes(mutants[3]!.after));
  assert.deepEqual(disproved(tried, [explain(mutants[0]!)]), [mutants[0]]);
  assert.match(formatReport(tried, [explain(mutants[0]!)]), /Explained, but caught/);
});

test('outcomes are kept for the text they were found with', (t) => {
  const root = repository(t);
  const file = path.join(root, 'runs', 'mutate', 'x.json');
  const state = readMutationState(file);
  const key = keyOf(mutants[0]!, SOURCE);
  state.outcomes[key] = { status: 'caught', by: 'some test', seconds: 1 };
  writeMutationState(file, state);
  assert.deepEqual(readMutationState(file), state);
  assert.notEqual(keyOf(mutants[0]!, `${SOURCE} `), key);
  assert.notEqual(keyOf(mutants[1]!, SOURCE), key);
});

test('every explained survivor is a mutant of the sources as they are, with a reason', () => {
  const root = path.resolve(import.meta.dirname, '../../..');
  const textOf = new Map(readSources(root).map(({ path: file, text }) => [file, text]));
  for (const { file, before, after, reason } of readSurvivors()) {
    const found = mutantsOf(file, textOf.get(file) ?? '');
    assert.ok(
      found.some((mutant) => mutant.before === before && mutant.after === after),
      `${file}: ${before} -> ${after}`,
    );
    assert.ok(reason.length > 10, `${file}: ${reason}`);
  }
});

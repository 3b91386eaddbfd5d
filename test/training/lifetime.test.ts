import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import test from 'node:test';
import { createEngine, MemoryError, StateError, sequential } from '../../src/index.ts';
import {
  allWeights,
  IMAGE,
  smallDataset,
  smallImages,
  smallLayers,
  smallModel,
} from '../helpers/conformance-data.ts';

const data = smallDataset(16);
const { inputs, targets } = smallImages(4);

/** Worker threads of this process that are alive. */
function workers(): number {
  const report = process.report.getReport() as unknown as { workers: unknown[] };
  return report.workers.length;
}

test('a model takes its workers at the first run, and close releases them', async () => {
  const model = smallModel();
  model.getWeights();
  model.summary();
  assert.equal(workers(), 0);
  await model.fit(data, { threads: 3 });
  assert.equal(workers(), 3);
  await model.close();
  assert.equal(workers(), 0);
  await model.close();
});

test('an aborted run, one that fails and a change of engine leave no worker behind', async () => {
  const aborted = smallModel();
  const { end } = await aborted.fit(data, { threads: 2, signal: AbortSignal.abort() });
  assert.equal(end, 'aborted');
  await aborted.close();
  assert.equal(workers(), 0);

  const failing = smallModel();
  const read = () => {
    throw new Error('no data');
  };
  await assert.rejects(failing.fit({ ...data, read }, { threads: 2 }));
  await failing.fit(data, { threads: 1 });
  assert.equal(workers(), 1);
  await failing.fit(data, { threads: 2, engine: 'scalar' });
  assert.equal(workers(), 2);
  await failing.close();
  assert.equal(workers(), 0);
});

test('a model that is closed while it changes its engine runs no more, and leaves no worker', async () => {
  const model = smallModel();
  await model.evaluate(data, { threads: 1 });
  const running = model.evaluate(data, { threads: 2 });
  await Promise.all([model.close(), assert.rejects(running, StateError)]);
  assert.equal(workers(), 0);
});

test('a shared engine outlives its models, and ends with its own close', async () => {
  const engine = createEngine({ threads: 2 });
  for (const seed of [1, 2]) {
    await using model = smallModel(seed);
    await model.fit(data, { engine });
  }
  assert.equal(workers(), 2);
  await engine.close();
  assert.equal(workers(), 0);
  await using model = smallModel();
  await assert.rejects(model.fit(data, { engine }), {
    name: 'StateError',
    message: /an open engine, got a closed one/,
  });
});

test('a model whose shared engine was closed goes on with another, weights and optimizer included', async () => {
  const engine = createEngine({ threads: 1 });
  await using model = smallModel();
  await using steady = smallModel();
  await model.fit(data, { engine });
  await engine.close();
  await model.fit(data, { threads: 1 });
  for (let i = 0; i < 2; i++) await steady.fit(data, { threads: 1 });
  assert.deepEqual(allWeights(model), allWeights(steady));
});

test('a closed model refuses everything', async () => {
  const model = smallModel();
  await model.fit(data, { threads: 1 });
  await model.close();
  const closed = (error: unknown) => error instanceof StateError && /one that was closed/.test(error.message);
  await assert.rejects(model.fit(data), closed);
  await assert.rejects(model.evaluate(data), closed);
  await assert.rejects(model.predict(data), closed);
  await assert.rejects(model.trainOnBatch({ inputs, targets }), closed);
  await assert.rejects(model.gradientsOnBatch({ inputs, targets }), closed);
  assert.throws(() => model.getWeights(), closed);
  assert.throws(() => model.setWeights({}), closed);
});

test('what needs more memory than allowed is refused with both sizes; less of it then works', async () => {
  await using model = sequential({ inputShape: IMAGE, memoryLimit: 256 * 1024 }, smallLayers());
  const many = smallDataset(400);
  await assert.rejects(model.fit(many, { threads: 1, batchSize: 400 }), (error) => {
    assert.ok(error instanceof MemoryError);
    assert.match(
      error.message,
      /^model: memory: expected at most 256\.0 KiB, memoryLimit, got \S+ [KM]iB: .*\(batchSize 100 takes/,
    );
    return true;
  });
  await model.fit(many, { threads: 1, batchSize: 8 });
  for (const memoryLimit of [0, -1, 2 ** 33, Number.NaN]) {
    const senseless = () => sequential({ inputShape: IMAGE, memoryLimit }, smallLayers()).getWeights();
    assert.throws(senseless, { name: 'ConfigError' }, String(memoryLimit));
  }
});

/** Runs a program on the library in a process of its own; resolves when it has ended of itself. */
function runProgram(source: string): Promise<{ code: number | null; output: string }> {
  const library = new URL('../../src/index.ts', import.meta.url).href;
  const helpers = new URL('../helpers/conformance-data.ts', import.meta.url).href;
  const program = `
    import { smallDataset, smallModel } from ${JSON.stringify(helpers)};
    import * as faltung from ${JSON.stringify(library)};
    const model = smallModel();
    const data = smallDataset(16);
    ${source}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { timeout: 120_000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

test('a process that trained ends of itself: closed, left open, and after an error', async () => {
  const fit = 'await model.fit(data, { threads: 2 });';
  const done = "console.log('done');";
  const programs: Record<string, readonly [source: string, code: number]> = {
    closed: [`${fit} await model.close(); ${done}`, 0],
    'left open': [`${fit} ${done}`, 0],
    'a shared engine left open': [
      `await model.fit(data, { engine: faltung.createEngine({ threads: 2 }) }); ${done}`,
      0,
    ],
    'after an error': [`${fit} ${done} await model.fit({ ...data, size: 0 });`, 1],
  };
  const runs = Object.entries(programs).map(async ([name, [source, code]]) => {
    const ended = await runProgram(source);
    assert.ok(ended.output.startsWith('done'), `${name}: ${ended.output}`);
    assert.equal(ended.code, code, `${name}: ${ended.output}`);
  });
  await Promise.all(runs);
});

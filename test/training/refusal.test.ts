/** Plans that do not fit into memory are refused before the first step, with what they need and what would fit. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import {
  conv2d,
  type Dataset,
  dense,
  flatten,
  MemoryError,
  type Model,
  sequential,
} from '../../src/index.ts';
import { Arena } from '../../src/parallel/arena.ts';
import { availableBytes } from '../../src/parallel/available.ts';
import { testEngine } from '../helpers/conformance-data.ts';

const MIB = 2 ** 20;
const engine = testEngine({ threads: 4 });

function model(memoryLimit: number): Model {
  return sequential({ inputShape: [16, 16, 3], seed: 2, memoryLimit }, [
    conv2d({ filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' }),
    conv2d({ filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' }),
    flatten(),
    dense({ units: 10, activation: 'softmax' }),
  ]);
}

/** Drawn by nobody: a step that is refused reads nothing. */
function data(size: number, onRead = () => {}): Dataset {
  return {
    size,
    inputShape: [16, 16, 3],
    inputType: 'uint8',
    targets: { kind: 'index', classes: 10 },
    normalization: { kind: 'scale' },
    read(_indices, into) {
      onRead();
      into.inputs.fill(7);
      into.targets.fill(3);
    },
  };
}

async function refusalOf(run: Promise<unknown>): Promise<MemoryError> {
  const error = await run.then(
    () => assert.fail('nothing was refused'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof MemoryError, String(error));
  return error;
}

/** The first number of MiB behind some words of a message. */
function mib(message: string, words: string): number {
  const found = new RegExp(`${words}[^0-9]*([0-9.]+) MiB`).exec(message);
  assert.ok(found, `${words}: ${message}`);
  return Number(found[1]);
}

test('training says what it needs, what is allowed, and which batch would fit, before anything is read', async () => {
  await using refused = model(16 * MIB);
  let reads = 0;
  const many = data(512, () => void reads++);
  const { message } = await refusalOf(refused.fit(many, { engine, batchSize: 512 }));
  assert.equal(reads, 0);
  assert.match(
    message,
    /^model: memory: expected at most 16\.0 MiB, memoryLimit, got \S+ MiB: \S+ [KM]iB for the model, \S+ MiB for a training step \(batchSize 512, 4 threads\) \(batchSize \d+ takes \S+ MiB/,
  );
  assert.ok(mib(message, 'got') > 16);
  const size = Number(/batchSize (\d+) takes/.exec(message)![1]);
  assert.ok(mib(message, 'takes') <= 16);
  // What it proposes fits, and twice as much does not.
  assert.equal((await refused.fit(data(size), { engine, batchSize: size })).end, 'finished');
  await refusalOf(refused.fit(data(2 * size), { engine, batchSize: 2 * size }));
  assert.equal((await refused.fit(data(size), { engine, batchSize: size })).end, 'finished');
});

test('fewer threads are proposed where they help, and do', async () => {
  await using refused = model(3.5 * MIB);
  const { message } = await refusalOf(
    refused.fit(data(64), { engine: testEngine({ threads: 16 }), batchSize: 64 }),
  );
  const threads = Number(/(\d+) threads? takes? \S+ MiB\)$/.exec(message)?.[1]);
  assert.ok(threads >= 1 && threads < 16, message);
  const end = await refused.fit(data(64), { engine: testEngine({ threads }), batchSize: 64 });
  assert.equal(end.end, 'finished');
});

test('where nothing helps, it says what the least would take', async () => {
  await using refused = model(0.8 * MIB);
  const { message } = await refusalOf(refused.fit(data(8), { engine, batchSize: 8 }));
  assert.match(message, /\(one sample on one thread takes \S+ [KM]iB: use smaller images, fewer filters/);

  await using larger = model(MIB / 8);
  const alone = await refusalOf(larger.fit(data(8), { engine, batchSize: 8 }));
  assert.match(alone.message, /got 1\d\d\.\d KiB \(the model alone does not fit: use fewer filters/);
});

test('evaluation and prediction are refused in their own words', async () => {
  await using refused = model(8 * MIB);
  const many = data(2000);
  const options = { engine, batchSize: 2000 };
  assert.match((await refusalOf(refused.evaluate(many, options))).message, /for evaluation \(batchSize 2000/);
  assert.match((await refusalOf(refused.predict(many, options))).message, /for prediction \(batchSize 2000/);
  assert.equal((await refused.predict(many, { engine })).data.length, 20_000);
});

test('validation that does not fit is refused before the first step of training', async () => {
  await using refused = sequential({ inputShape: [4], seed: 2, memoryLimit: 2 * MIB }, [
    dense({ units: 20_000 }),
    dense({ units: 2 }),
  ]);
  const vectors = (size: number): Dataset => ({
    size,
    inputShape: [4],
    inputType: 'float32',
    targets: { kind: 'index', classes: 2 },
    read: (_indices, into) => void into.inputs.fill(1),
  });
  const before = refused.getWeights();
  await refusalOf(
    refused.fit(vectors(4), { engine: testEngine({ threads: 1 }), batchSize: 1, validation: vectors(900) }),
  );
  assert.deepEqual(refused.getWeights(), before);
});

test('without a limit of its own a model may take what the system has, at most 4 GiB', () => {
  const { bytes, whose } = new Arena().limit();
  const available = availableBytes();
  assert.ok(available > 0);
  if (available >= 2 ** 32) assert.deepEqual([bytes, whose], [2 ** 32, "WebAssembly's limit"]);
  else assert.equal(whose, 'what the system has available');
  assert.deepEqual(new Arena(2 ** 32).limit(), { bytes: 2 ** 32, whose: 'memoryLimit' });
});

test('what the operating system refuses is refused in the same way', {
  skip: process.platform !== 'linux',
}, () => {
  const library = new URL('../../src/index.ts', import.meta.url).href;
  const program = `
    import { dense, sequential } from ${JSON.stringify(library)};
    const model = sequential({ inputShape: [400], memoryLimit: 2 ** 32 }, [dense({ units: 2 })]);
    const targets = { kind: 'index', classes: 2 };
    const data = { size: 8e5, inputShape: [400], inputType: 'float32', targets, read() {} };
    const options = { threads: 1, batchSize: 8e5 };
    await model.fit(data, options).catch((error) => console.log(error.name + ' ' + error.message));
  `;
  // 4 GB of address space for the whole process, of which Node takes one and more; the step takes 3.6.
  const command = 'ulimit -v 4000000 && exec "$0" --input-type=module --eval "$1"';
  const { stdout, stderr } = spawnSync('bash', ['-c', command, process.execPath, program], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.match(
    stdout,
    /^MemoryError model: memory: expected .* got .* the system says: WebAssembly\.Memory\(\)/,
    stdout + stderr,
  );
});

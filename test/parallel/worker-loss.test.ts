/** What becomes of a step when a worker dies, fails or hangs in it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { KernelError, StateError, WorkerLostError } from '../../src/errors.ts';
import { Engine, type EngineOptions, type EngineParts } from '../../src/parallel/engine.ts';
import { type Faults, faultHappened, faultyEngine } from '../helpers/faults.ts';
import { KERNEL_OF_PHASE, smallData, smallModel } from '../helpers/small-model.ts';

/** A run that hangs fails by this limit. */
const LIMIT = { timeout: 20_000 };
const SCALAR: EngineOptions = { threads: 2, engine: 'scalar' };
const data = smallData(24);

/** Every engine of this file: one that a failed test leaves open would keep the process alive. */
const engines: Engine[] = [];
after(() => Promise.all(engines.map((engine) => engine.close())));

function opened(engine: Engine): Engine {
  engines.push(engine);
  return engine;
}

/** Trains until the fault strikes; the error, the milliseconds from the fault to it, and the workers still alive then. */
async function trainInto(faults: Faults, options: EngineOptions = SCALAR, parts: EngineParts = {}) {
  const engine = opened(faultyEngine(options, faults, parts));
  const model = smallModel();
  const workers: Worker[] = [];
  const onWorker = (worker: Worker) => void workers.push(worker);
  process.on('worker', onWorker);
  let struck = Number.NaN;
  const watch = faultHappened().then(() => {
    struck = performance.now();
  });
  const error = await model.fit(data, { batchSize: 8, epochs: 2, engine }).then(
    () => assert.fail('the run went well'),
    (reason: unknown) => reason,
  );
  const ended = performance.now();
  process.off('worker', onWorker);
  // Node gives workers that have ended this id.
  const alive = workers.filter(({ threadId }) => threadId !== -1).length;
  await watch;
  return { engine, model, error: error as Error, elapsed: ended - struck, alive };
}

describe('a worker that exits in mid-step ends the run with WorkerLostError within 2 s', LIMIT, () => {
  // The step in which it happens is the second one, but for the packing before the first.
  const calls = { shards: 6, batch: 1, update: 9, prepare: 1 } as const;
  for (const [phase, kind] of Object.entries(KERNEL_OF_PHASE)) {
    test(`in the phase ${phase}, and the engine works again`, LIMIT, async () => {
      const fatal = { kind, ending: 'exit', call: calls[phase as keyof typeof calls] } as const;
      const { engine, model, error, elapsed, alive } = await trainInto({ fatal });
      assert.ok(error instanceof WorkerLostError, String(error));
      assert.equal(alive, 0, 'somebody may still write to the model');
      assert.match(error.message, /exited with code: 7/);
      assert.ok(elapsed < 2000, `${elapsed} ms`);
      const again = await model.fit(data, { batchSize: 8, engine });
      assert.equal(again.end, 'finished');
      await model.close();
    });
  }

  test('with a single worker, and with 256-bit code', LIMIT, async () => {
    const fatal = { kind: 'adam', ending: 'exit', call: 3 } as const;
    const { error, elapsed } = await trainInto({ fatal }, { threads: 1 });
    assert.ok(error instanceof WorkerLostError, String(error));
    assert.ok(elapsed < 2000, `${elapsed} ms`);
  });
});

test('a worker out of memory ends the run with WorkerLostError', LIMIT, async () => {
  const fatal = { kind: 'maxPoolForward', ending: 'memory', call: 5 } as const;
  const parts = { resourceLimits: { maxOldGenerationSizeMb: 64 } };
  const { error } = await trainInto({ fatal }, SCALAR, parts);
  assert.ok(error instanceof WorkerLostError, String(error));
  assert.match(error.message, /memory/);
});

test(
  'a worker that hangs ends the run with WorkerLostError once the patience of the others is over',
  LIMIT,
  async () => {
    const fatal = { kind: 'denseWeightGradient', ending: 'hang', call: 1 } as const;
    const { engine, model, error, alive } = await trainInto({ fatal }, { ...SCALAR, patienceMs: 300 });
    assert.ok(error instanceof WorkerLostError, String(error));
    assert.equal(alive, 0, 'somebody may still write to the model');
    assert.match(error.message, /300 ms/);
    assert.equal((await model.fit(data, { batchSize: 8, engine })).end, 'finished');
  },
);

for (const ending of ['throw', 'trap'] as const) {
  test(`a kernel that ends with a ${ending} ends the run with KernelError that names it`, LIMIT, async () => {
    const fatal = { kind: 'reduceShards', ending, call: 7 } as const;
    const { engine, model, error, elapsed } = await trainInto({ fatal });
    assert.ok(error instanceof KernelError, String(error));
    assert.match(
      error.message,
      ending === 'throw' ? /reduceShards.*thrown on purpose/ : /reduceShards.*unreachable/,
    );
    assert.match(String(error.cause), /faulty-worker/);
    assert.ok(elapsed < 2000, `${elapsed} ms`);
    assert.equal((await model.fit(data, { batchSize: 8, engine })).end, 'finished');
  });
}

test(
  'closing the engine in mid-step ends the run with StateError, also where a worker hangs',
  LIMIT,
  async () => {
    const fatal = { kind: 'maxPoolForward', ending: 'hang', call: 1 } as const;
    const engine = opened(faultyEngine(SCALAR, { fatal }));
    const running = smallModel().fit(data, { batchSize: 8, engine });
    const rejected = assert.rejects(running, StateError);
    await faultHappened();
    await engine.close();
    await rejected;
  },
);

for (const ending of ['exitLater', 'throwLater'] as const) {
  test(`a worker that dies between steps (${ending}) costs no step`, LIMIT, async () => {
    let onWorker = (_: Worker) => {};
    const died = new Promise((resolve) => {
      onWorker = (worker) => void worker.once('exit', resolve);
    });
    process.on('worker', onWorker);
    const engine = opened(faultyEngine(SCALAR, { fatal: { kind: 'adam', ending, call: 2 } }));
    const model = smallModel();
    await model.fit(smallData(8), { batchSize: 8, engine });
    await died;
    process.off('worker', onWorker);
    assert.equal((await model.fit(data, { batchSize: 8, engine })).end, 'finished');
  });
}

for (const threads of [1, 2]) {
  test(
    `workers that cannot start end the run with WorkerLostError, every time (${threads})`,
    LIMIT,
    async () => {
      const workerFile = fileURLToPath(new URL('./no-such-worker.ts', import.meta.url));
      const engine = opened(new Engine({ threads, engine: 'scalar' }, { workerFile }));
      const model = smallModel();
      for (const patience of [0, 0, 300]) {
        // The first two meet workers that are about to fail, the third none at all.
        await new Promise((resolve) => setTimeout(resolve, patience));
        await assert.rejects(model.fit(data, { engine }), WorkerLostError);
      }
    },
  );
}

test('after a loss in mid-update, what was prepared of the old weights is not used', LIMIT, async () => {
  const fatal = { kind: 'adam', ending: 'exit', call: 9 } as const;
  const { engine, model } = await trainInto({ fatal });
  const copy = smallModel(4);
  copy.setWeights(model.getWeights());
  assert.deepEqual(await model.evaluate(data, { engine }), await copy.evaluate(data, { engine }));
});

describe('the process comes to its end by itself, with nothing closed', LIMIT, () => {
  const script = fileURLToPath(new URL('../helpers/train-and-leave.ts', import.meta.url));
  const leave = async (faults: Faults) => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(faults)], LIMIT);
    return stdout.trim();
  };

  test('after a run', async () => {
    assert.equal(await leave({}), 'finished');
  });

  for (const ending of ['exit', 'throw'] as const) {
    test(`after a loss (${ending})`, async () => {
      const name = ending === 'exit' ? 'WorkerLostError' : 'KernelError';
      assert.equal(await leave({ fatal: { kind: 'adam', ending, call: 8 } }), name);
    });
  }
});

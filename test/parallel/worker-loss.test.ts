/** What becomes of a step when a worker dies, fails or hangs in it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Worker } from 'node:worker_threads';
import type { BatchBuffer } from '../../src/data/dataset.ts';
import { epochOrder } from '../../src/data/order.ts';
import { KernelError, StateError, WorkerLostError } from '../../src/errors.ts';
import { weightsSha256 } from '../../src/io/weights-hash.ts';
import { Engine, type EngineOptions, type EngineParts } from '../../src/parallel/engine.ts';
import type { Model } from '../../src/training/model.ts';
import { type Ending, type Faults, faultHappened, faultyEngine } from '../helpers/faults.ts';
import { NOTICE_MS, noticeClock } from '../helpers/notice-clock.ts';
import { KERNEL_OF_PHASE, smallData, smallModel } from '../helpers/small-model.ts';

/** A run that hangs fails by this limit, also where the machine has little time for it. */
const LIMIT = { timeout: 60_000 };
/** Of a group of tests, on a loaded machine too. */
const GROUP_LIMIT = { timeout: 180_000 };
const SCALAR: EngineOptions = { threads: 2, engine: 'scalar' };
const data = smallData(24);

/** Every engine of this file: one that a failed test leaves open would keep the process alive. */
const engines: Engine[] = [];
after(() => Promise.all(engines.map((engine) => engine.close())));

function opened(engine: Engine): Engine {
  engines.push(engine);
  return engine;
}

/** What became of a run into a fault. */
interface Loss {
  readonly engine: Engine;
  readonly model: Model;
  /** What the run threw; undefined where it went well. */
  readonly error: Error | undefined;
  /** Milliseconds from the fault to the run's end, or to the warning that a step is run again (notice-clock.ts). */
  readonly noticedMs: number;
  /** Workers still alive at the run's end, where it failed. */
  readonly alive: number;
  readonly warnings: readonly string[];
}

/** Trains with a fault. */
async function trainInto(
  faults: Faults,
  options: EngineOptions = SCALAR,
  parts: EngineParts = {},
): Promise<Loss> {
  const engine = opened(faultyEngine(options, faults, parts));
  const model = smallModel();
  const workers = new Set<Worker>();
  const warnings: string[] = [];
  const clock = noticeClock();
  let noticedMs = Number.NaN;
  const onWorker = (worker: Worker) => {
    workers.add(worker);
    // It runs no code any more, but its thread may end later.
    worker.once('error', () => workers.delete(worker));
  };
  const onWarning = ({ message }: Error) => {
    if (warnings.push(message) === 1) noticedMs = clock.stop();
  };
  process.on('worker', onWorker);
  process.on('warning', onWarning);
  const struck = faultHappened().then(() => true);
  const error = await model.fit(data, OPTIONS(engine)).then(
    () => undefined,
    (reason: Error) => reason,
  );
  const endedMs = clock.stop();
  process.off('worker', onWorker);
  // Node gives workers that have ended this id.
  const alive = [...workers].filter(({ threadId }) => threadId !== -1).length;
  // A fault that does not strike is a mistake in the test.
  assert.ok(await Promise.race([struck, sleep(5000, false, { ref: false })]), 'no fault');
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', onWarning);
  if (warnings.length === 0) noticedMs = endedMs;
  return { engine, model, error, noticedMs, alive, warnings };
}

const OPTIONS = (engine: Engine) => ({ batchSize: 8, epochs: 2, engine });

/** The weights of the run that no fault disturbs. */
async function undisturbed(): Promise<string> {
  const model = smallModel();
  await model.fit(data, OPTIONS(opened(new Engine(SCALAR))));
  return weightsSha256(model);
}

/**
 * The call of each phase's kernel in the second step (of the packing, before the first): whether it is one of several
 * units or of one.
 */
const CALLS = { shards: 6, batch: 1, reduce: 5, update: 9, prepare: 1 } as const;
type Phase = keyof typeof CALLS;
const fatalIn = (phase: Phase, ending: Ending, call: number = CALLS[phase]) => ({
  fatal: { kind: KERNEL_OF_PHASE[phase], ending, call },
});

describe(
  'a step in which a worker dies before the update, or behind it, is run again: the bits are the same',
  GROUP_LIMIT,
  () => {
    let expected: string;
    before(async () => {
      expected = await undisturbed();
    });

    type Death = readonly [name: string, faults: Faults, options?: EngineOptions, parts?: EngineParts];
    const deaths: readonly Death[] = [
      ...(['shards', 'batch', 'reduce'] as const).map((phase) => [phase, fatalIn(phase, 'exit')] as const),
      ['the first packing', fatalIn('prepare', 'exit', 1)],
      ['the packing behind the update', fatalIn('prepare', 'exit', 5)],
      ['the very last call', fatalIn('prepare', 'exit', 7 * 3 - 1)],
      ['the first step', fatalIn('shards', 'exit', 0)],
      ['a single worker', fatalIn('shards', 'exit'), { threads: 1 }],
      ['three workers of 256-bit code', fatalIn('batch', 'exit'), { threads: 3 }],
      [
        'out of memory',
        fatalIn('shards', 'memory'),
        SCALAR,
        { resourceLimits: { maxOldGenerationSizeMb: 64 } },
      ],
    ];
    for (const [name, faults, options, parts] of deaths) {
      test(name, LIMIT, async () => {
        const { model, error, noticedMs, warnings } = await trainInto(faults, options, parts);
        assert.equal(error, undefined);
        assert.equal(weightsSha256(model), expected);
        // Behind the update there is nothing to run again.
        if (!name.startsWith('the packing') && !name.startsWith('the very')) {
          assert.equal(warnings.length, 1, warnings.join());
          assert.match(
            warnings[0]!,
            /^Faltung lost a worker in the middle of a step \(.*(code: 7|memory).*\); the step is run again$/,
          );
          assert.ok(noticedMs < NOTICE_MS, `${noticedMs} ms`);
        }
      });
    }

    test('evaluation and prediction go on, too', LIMIT, async () => {
      const engine = opened(
        faultyEngine(SCALAR, { fatal: { kind: 'maxPoolForward', ending: 'exit', call: 2 } }),
      );
      const plain = opened(new Engine(SCALAR));
      const model = smallModel();
      const metrics = await model.evaluate(data, { batchSize: 8, engine });
      assert.deepEqual(await model.evaluate(data, { batchSize: 8, engine: plain }), metrics);
    });

    test('but not for ever: after the third death in one step the run ends', LIMIT, async () => {
      const { fatal } = fatalIn('shards', 'exit');
      const { model, error, alive, warnings } = await trainInto({ fatal: { ...fatal, times: 100 } });
      assert.ok(error instanceof WorkerLostError, String(error));
      assert.match(error.message, /exited with code: 7 \(the weights are those of before the step\)$/);
      assert.equal(warnings.length, 2);
      assert.equal(alive, 0);
      // The first step alone, whose weights are those that remain.
      const one = smallModel();
      const order = epochOrder(3, 0, data.size).subarray(0, 8);
      const first = {
        ...data,
        size: 8,
        read: (indices: Uint32Array, into: BatchBuffer) =>
          data.read(
            indices.map((i) => order[i]!),
            into,
          ),
      };
      await one.fit(first, { batchSize: 8, shuffle: false, engine: opened(new Engine(SCALAR)) });
      assert.equal(weightsSha256(model), weightsSha256(one));
    });

    test(
      'a worker’s death in one model’s step does not touch another’s on the same engine',
      LIMIT,
      async () => {
        const engine = opened(faultyEngine(SCALAR, fatalIn('shards', 'exit', 9)));
        const models = [smallModel(), smallModel()];
        await Promise.all(models.map((model) => model.fit(data, OPTIONS(engine))));
        assert.deepEqual(models.map(weightsSha256), [expected, expected]);
      },
    );
  },
);

describe('a worker that dies in the update ends the run with WorkerLostError', GROUP_LIMIT, () => {
  for (const options of [SCALAR, { threads: 1 }, { threads: 3 }] satisfies EngineOptions[]) {
    test(`within 2 s, and the engine works again (${JSON.stringify(options)})`, LIMIT, async () => {
      const { engine, model, error, noticedMs, alive } = await trainInto(fatalIn('update', 'exit'), options);
      assert.ok(error instanceof WorkerLostError, String(error));
      assert.equal(alive, 0, 'somebody may still write to the model');
      assert.match(
        error.message,
        /exited with code: 7 \(the update was under way: the weights are those of half a step, go on from the last saved ones\)$/,
      );
      assert.ok(noticedMs < NOTICE_MS, `${noticedMs} ms`);
      assert.equal((await model.fit(data, { batchSize: 8, engine })).end, 'finished');
    });
  }
});

describe(
  'a worker that hangs ends the run with WorkerLostError once the patience is over',
  GROUP_LIMIT,
  () => {
    for (const threads of [1, 2, 3]) {
      test(`one of ${threads}`, LIMIT, async () => {
        const options = { ...SCALAR, threads, patienceMs: 300 };
        const { engine, model, error, alive } = await trainInto(fatalIn('batch', 'hang'), options);
        assert.ok(error instanceof WorkerLostError, String(error));
        assert.equal(alive, 0, 'somebody may still write to the model');
        assert.match(error.message, /300 ms \(the weights are those of before the step\)/);
        assert.equal((await model.fit(data, { batchSize: 8, engine })).end, 'finished');
      });
    }

    test('also when all of them hang at once', LIMIT, async () => {
      const { fatal } = fatalIn('shards', 'hang', 4);
      const options = { ...SCALAR, patienceMs: 300 };
      const { error, alive } = await trainInto({ fatal: { ...fatal, times: 2 } }, options);
      assert.ok(error instanceof WorkerLostError, String(error));
      assert.equal(alive, 0);
    });

    test(
      'a step that waits for another model’s slow one is not taken for one that hangs',
      LIMIT,
      async () => {
        const engine = opened(faultyEngine({ ...SCALAR, threads: 1, patienceMs: 200 }, { napMs: 4 }));
        const models = [smallModel(), smallModel()];
        const ends = await Promise.all(models.map((model) => model.fit(data, { batchSize: 8, engine })));
        assert.deepEqual(
          ends.map(({ end }) => end),
          ['finished', 'finished'],
        );
      },
    );
  },
);

for (const ending of ['throw', 'trap'] as const) {
  test(`a kernel that ends with a ${ending} ends the run with KernelError that names it`, LIMIT, async () => {
    const { engine, model, error, noticedMs, warnings } = await trainInto(fatalIn('reduce', ending, 7));
    assert.equal(warnings.length, 0, 'it would fail again');
    assert.ok(error instanceof KernelError, String(error));
    assert.match(
      error.message,
      ending === 'throw' ? /reduceShards.*thrown on purpose/ : /reduceShards.*unreachable/,
    );
    assert.match(error.message, /\(the weights are those of before the step\)$/);
    assert.match(String(error.cause), /faulty-worker/);
    assert.ok(noticedMs < NOTICE_MS, `${noticedMs} ms`);
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

test('closing the model in mid-step ends the run with StateError, and the engine stays', LIMIT, async () => {
  for (const own of [true, false]) {
    const engine = opened(faultyEngine(SCALAR, { napMs: 2 }));
    const model = smallModel();
    let steps = 0;
    const onStep = () => {
      steps += 1;
      if (steps === 2) setImmediate(() => void model.close());
    };
    const running = model.fit(data, {
      batchSize: 4,
      epochs: 50,
      onStep,
      ...(own ? { threads: 2 } : { engine }),
    });
    await assert.rejects(running, StateError);
    assert.ok(steps <= 4, `${steps} steps`);
    await model.close();
    const other = smallModel();
    assert.equal((await other.fit(data, { batchSize: 8, engine })).end, 'finished');
  }
});

test('a worker that exits between steps costs no step', LIMIT, async () => {
  let onWorker = (_: Worker) => {};
  const died = new Promise((resolve) => {
    onWorker = (worker) => void worker.once('exit', resolve);
  });
  process.on('worker', onWorker);
  const engine = opened(faultyEngine(SCALAR, fatalIn('update', 'exitLater', 2)));
  const model = smallModel();
  await model.fit(smallData(8), { batchSize: 8, engine });
  await died;
  process.off('worker', onWorker);
  assert.equal((await model.fit(data, { batchSize: 8, engine })).end, 'finished');
});

describe(
  'what a worker throws behind its task’s back fails the run with that error within one step',
  GROUP_LIMIT,
  () => {
    test('a promise that nobody awaits', LIMIT, async () => {
      for (const phase of ['shards', 'batch', 'prepare'] as const) {
        const { engine, model, error, alive } = await trainInto(fatalIn(phase, 'float', 2));
        assert.ok(error instanceof WorkerLostError, String(error));
        // The step went on until the error arrived: nobody knows how far.
        assert.match(
          error.message,
          /got rejected on purpose, and nobody awaits it \(the (weights are those of|update was under way)/,
        );
        assert.equal((error.cause as Error).message, 'rejected on purpose, and nobody awaits it');
        assert.equal(alive, 0);
        assert.equal((await model.fit(data, { batchSize: 8, engine })).end, 'finished');
      }
    });

    test('a throw from a timer, while the model is idle: the next step fails', LIMIT, async () => {
      const engine = opened(faultyEngine(SCALAR, fatalIn('update', 'throwLater', 2)));
      const model = smallModel();
      await model.fit(smallData(8), { batchSize: 8, engine });
      await new Promise((resolve) => setTimeout(resolve, 300));
      await assert.rejects(model.fit(data, { batchSize: 8, engine }), {
        name: 'WorkerLostError',
        message: /thrown late on purpose \(the weights are those of before the step\)/,
      });
      assert.equal((await model.fit(data, { batchSize: 8, engine })).end, 'finished');
    });

    test('a throw from a timer in mid-run', LIMIT, async () => {
      const engine = opened(faultyEngine(SCALAR, { ...fatalIn('update', 'throwLater', 2), napMs: 3 }));
      let steps = 0;
      const onStep = () => void steps++;
      await assert.rejects(smallModel().fit(data, { batchSize: 8, epochs: 20, engine, onStep }), {
        name: 'WorkerLostError',
        message: /thrown late on purpose/,
      });
      assert.ok(steps < 5, `${steps} steps`);
    });
  },
);

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
  const { engine, model } = await trainInto(fatalIn('update', 'exit'));
  const copy = smallModel(4);
  copy.setWeights(model.getWeights());
  assert.deepEqual(await model.evaluate(data, { engine }), await copy.evaluate(data, { engine }));
});

describe('the process comes to its end by itself after a loss, with nothing closed', GROUP_LIMIT, () => {
  const script = fileURLToPath(new URL('../helpers/train-and-leave.ts', import.meta.url));
  const leave = async (faults: Faults) => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(faults)], LIMIT);
    return stdout.trim();
  };

  for (const ending of ['exit', 'throw'] as const) {
    test(ending, async () => {
      const name = ending === 'exit' ? 'WorkerLostError' : 'KernelError';
      assert.equal(await leave({ fatal: { kind: 'adam', ending, call: 8 } }), name);
    });
  }
});

/**
 * One training run into a fault at a random place, for the soak of lost workers and a small number of the suite:
 * whatever happens, it ends, with the right bits or with a typed error that says what remains, and a run that goes on
 * from its checkpoints ends with the right bits.
 */
import assert from 'node:assert/strict';
import { KernelError, WorkerLostError } from '../../src/errors.ts';
import { weightsSha256 } from '../../src/io/weights-hash.ts';
import { Engine, type EngineOptions } from '../../src/parallel/engine.ts';
import type { FitOptions } from '../../src/training/fit.ts';
import { type Ending, type Faults, faultyEngine } from './faults.ts';
import { NOTICE_MS, noticeClock } from './notice-clock.ts';
import { KERNEL_OF_PHASE, smallData, smallModel } from './small-model.ts';
import { randomFrom } from './twin.ts';

/** What a run came to. */
export type Verdict = 'untouched' | 'run again' | 'lost' | 'kernel error';

export interface Death {
  readonly verdict: Verdict;
  /**
   * Milliseconds from the fault to the run's end, or to the warning that a step is run again (notice-clock.ts); NaN for
   * hangs and where it made no difference.
   */
  readonly noticedMs: number;
}

const data = smallData(24);
const EPOCHS = 2;
const RUN = { batchSize: 8, epochs: EPOCHS } satisfies FitOptions;
/** Ends of a kernel call, the frequent ones several times. 'memory' takes a second, and 'hang' its patience. */
const ENDINGS: readonly Ending[] = [
  'exit',
  'exit',
  'exit',
  'exit',
  'throw',
  'trap',
  'float',
  'exitLater',
  'throwLater',
  'memory',
  'hang',
];
const PATIENCE_MS = 400;

let expected: string | undefined;

/** The weights of the run that no fault disturbs. */
async function undisturbed(): Promise<string> {
  if (expected !== undefined) return expected;
  const engine = new Engine({ threads: 1, engine: 'scalar' });
  await using model = smallModel();
  await model.fit(data, { ...RUN, engine });
  await engine.close();
  expected = weightsSha256(model);
  return expected;
}

/** Runs into the fault of a seed; `folder` is an empty one for checkpoints. */
export async function dieInTraining(seed: number, folder: string): Promise<Death> {
  const bits = await undisturbed();
  const random = randomFrom(seed);
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!;
  const ending = pick(ENDINGS);
  const options: EngineOptions = {
    threads: 1 + Math.floor(4 * random()),
    engine: pick(['scalar', 'scalar', 'simd']),
    ...(ending === 'hang' && { patienceMs: PATIENCE_MS }),
  };
  const fatal = {
    kind: pick(Object.values(KERNEL_OF_PHASE)),
    ending,
    call: Math.floor(18 * random()),
    times: random() < 0.1 ? 3 : 1,
  };
  const faults: Faults = { fatal, ...(random() < 0.5 && { pauseSeed: seed % 1000 }) };
  const parts = ending === 'memory' ? { resourceLimits: { maxOldGenerationSizeMb: 48 } } : {};
  const engine = faultyEngine(options, faults, parts);
  engine.start();
  try {
    return await runInto(engine, bits, folder, ending);
  } catch (error) {
    const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Error(`${JSON.stringify({ options, faults })}: ${told}`);
  } finally {
    await engine.close();
  }
}

async function runInto(engine: Engine, bits: string, folder: string, ending: Ending): Promise<Death> {
  const clock = noticeClock();
  let warnedMs = Number.NaN;
  const onWarning = ({ message }: Error) => {
    if (/the step is run again/.test(message) && Number.isNaN(warnedMs)) warnedMs = clock.stop();
  };
  process.on('warning', onWarning);
  const checkpoint = { folder, everySteps: 1, resume: 'ifAny' } as const;
  await using model = smallModel();
  const error: unknown = await model.fit(data, { ...RUN, engine, checkpoint }).then(
    () => undefined,
    (reason) => reason,
  );
  const endedMs = clock.stop();
  // Warnings come a turn late.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', onWarning);
  const again = !Number.isNaN(warnedMs);
  const touched = ending !== 'hang' && (again || error !== undefined);
  const noticedMs = touched ? (again ? warnedMs : endedMs) : Number.NaN;
  assert.ok(!(noticedMs >= NOTICE_MS), `noticed after ${noticedMs} ms`);
  if (error === undefined) {
    assert.equal(weightsSha256(model), bits, 'a run that ended well has other bits');
    return { verdict: again ? 'run again' : 'untouched', noticedMs };
  }
  const lost = error instanceof WorkerLostError;
  assert.ok(lost || error instanceof KernelError, `an error of another kind: ${error}`);
  assert.match(error.message, /\(the (weights are those of (before|after) the step|update was under way)/);
  const healthy = new Engine({ threads: 2, engine: 'scalar' });
  await using resumed = smallModel();
  try {
    await resumed.fit(data, { ...RUN, engine: healthy, checkpoint });
  } finally {
    await healthy.close();
  }
  assert.equal(weightsSha256(resumed), bits, 'a run that went on from its checkpoint has other bits');
  return { verdict: lost ? 'lost' : 'kernel error', noticedMs };
}

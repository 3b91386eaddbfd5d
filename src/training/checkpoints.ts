/** Checkpoints of `fit`: what a run needs to go on as if it had never stopped, saved between two steps. */
import path from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import type { NamedDataset } from '../data/named-dataset.ts';
import { ConfigError, FormatError, formatValue, NonFiniteLossError } from '../errors.ts';
import { asFormatError } from '../io/architecture-checks.ts';
import {
  listCheckpoints,
  type OpenCheckpoint,
  openCheckpointFolder,
  removeOldCheckpoints,
  withNewestCheckpoint,
  writeCheckpoint,
} from '../io/checkpoint-folder.ts';
import { type FileSystem, localFiles } from '../io/file-system.ts';
import { describeModel, matchTensors, readFormat } from '../io/model-file.ts';
import { type NamedTensor, readTensorInto } from '../io/safetensors-file.ts';
import { checkOptions } from '../known-options.ts';
import { stateTensors } from '../model/contracts.ts';
import type { Callback } from './callbacks/callback.ts';
import type { FitOptions } from './fit.ts';
import type { EpochRecord } from './history.ts';
import type { Optimizer } from './optimizers.ts';
import { checkSameRun, describeRun } from './run-configuration.ts';
import {
  type CallbackRecord,
  type RunPosition,
  type RunState,
  readRunState,
  startOfEpoch,
  writeRunState,
} from './run-state.ts';
import { descriptionOf } from './save.ts';
import type { ModelState } from './state.ts';

/** Where and when `fit` saves its state. */
export interface CheckpointOptions {
  /** A folder for this run alone; made where there is none. The newest two checkpoints are kept in it. */
  readonly folder: string;
  /** Saves after every so many steps, besides after every epoch. Default: after epochs only. */
  readonly everySteps?: number;
  /**
   * true: go on from the newest checkpoint in the folder, an error where there is none; 'ifAny': start where there is
   * none; false (default): start, and refuse a folder that has some.
   */
  readonly resume?: boolean | 'ifAny';
  /** Where the folder is; default: the local disk. */
  readonly files?: FileSystem;
}

/** A run's checkpoints while it runs. */
export interface Checkpoints {
  /** Where to begin. */
  readonly start: RunPosition;
  /** Epochs that were finished before. */
  readonly records: readonly EpochRecord[];
  /** Whether the run was ended by a callback already. */
  readonly stopped: boolean;
  /** Saves if it is time to. */
  afterStep(position: RunPosition): Promise<void>;
  /** Saves, unless that was the last thing saved. */
  save(position: RunPosition): Promise<void>;
  /** Saves after an epoch and all that was called for it. */
  afterEpoch(record: EpochRecord, stopped: boolean): Promise<void>;
}

/** What of a run its checkpoints need to know. */
export interface CheckpointedRun {
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  readonly seed: number;
  /** Of an epoch. */
  readonly steps: number;
}

/**
 * Opens the checkpoints that `options` ask for, and brings model and optimizer to the state of the newest one where
 * the run is to go on. Throws ConfigError where it would be another run, FormatError where nothing is whole.
 */
export async function openCheckpoints(
  state: ModelState,
  dataset: Dataset | NamedDataset,
  options: FitOptions & { readonly checkpoint: CheckpointOptions },
  run: CheckpointedRun,
): Promise<Checkpoints> {
  checkCheckpoint(options.checkpoint);
  const { folder, everySteps, resume = false, files = localFiles } = options.checkpoint;
  const operation = 'fit, checkpoint';
  const remembering = (options.callbacks ?? []).filter(({ saveState }) => saveState !== undefined);
  const configuration = await describeRun(dataset, options, run);
  await openCheckpointFolder(operation, folder, files);
  const restore = (checkpoint: OpenCheckpoint) =>
    restoreRun(operation, state, checkpoint, { options, run, configuration, remembering });
  const warn = (message: string) => process.emitWarning(message, 'FaltungWarning');
  const found =
    resume === false ? undefined : await withNewestCheckpoint(operation, folder, warn, restore, files);
  if (found === undefined) await checkEmpty(operation, folder, resume, files);

  const records = [...(found?.records ?? [])];
  const start = found?.position ?? startOfEpoch(options.initialEpoch ?? 0);
  let saved = found === undefined ? '' : keyOf(start, found.stopped);
  const write = (position: RunPosition, stopped: boolean) =>
    state.withOwnWeights(() => writeOwn(position, stopped));
  const writeOwn = async (position: RunPosition, stopped: boolean) => {
    if (keyOf(position, stopped) === saved) return;
    const remembered = remembering.map((callback) => callback.saveState!());
    const callbacks = remembered.map(({ data, weights = {} }): CallbackRecord => {
      const tensors = Object.entries(weights).map(([name, { shape }]) => ({ name, shape }));
      return { data, tensors };
    });
    const kept = remembered.flatMap(({ weights = {} }, i) =>
      Object.entries(weights).map(([name, weight]) => ({ ...weight, name: callbackTensor(i, name) })),
    );
    const optimizer = state.optimizerTensors(run.optimizer);
    const own = [...state.tensors('fit'), ...(optimizer ?? [])];
    checkFinite(own, position);
    const metadata = describeModel(operation, descriptionOf(state), 'faltung-checkpoint').set(
      'training',
      writeRunState(operation, {
        position,
        iterations: optimizer === undefined ? 0 : state.iterations,
        records,
        stopped,
        configuration,
        slots: optimizer === undefined ? [] : stateTensors(run.optimizer.plan),
        callbacks,
      }),
    );
    const step = position.epoch * run.steps + position.step;
    await writeCheckpoint(operation, folder, step, metadata, [...own, ...kept], files);
    saved = keyOf(position, stopped);
  };
  return {
    start,
    records: found?.records ?? [],
    stopped: found?.stopped ?? false,
    async afterStep(position) {
      const done = position.epoch * run.steps + position.step;
      // The end of an epoch is saved after its validation.
      if (everySteps === undefined || done % everySteps !== 0 || position.step === run.steps) return;
      await write(position, false);
    },
    save: (position) => write(position, false),
    async afterEpoch(record, stopped) {
      records.push(record);
      await write(startOfEpoch(record.epoch), stopped);
    },
  };
}

/** Brings model, optimizer and callbacks to the state of a checkpoint. */
async function restoreRun(
  operation: string,
  state: ModelState,
  { file, step, opened, header }: OpenCheckpoint,
  context: {
    readonly options: FitOptions & { readonly checkpoint: CheckpointOptions };
    readonly run: CheckpointedRun;
    readonly configuration: Parameters<typeof checkSameRun>[1];
    readonly remembering: readonly Callback[];
  },
): Promise<RunState> {
  const { options, run, configuration, remembering } = context;
  const where = `${operation} ${JSON.stringify(file)}`;
  const { format } = readFormat(where, header);
  if (format !== 'faltung-checkpoint') {
    throw new FormatError({ operation: where, expected: 'a checkpoint', received: format });
  }
  const mine = describeModel(operation, descriptionOf(state));
  for (const name of ['numerics', 'architecture']) {
    const [was, is] = [header.metadata.get(name)!.text, mine.get(name)!];
    if (was !== is) throw otherModel(where, name, was, is);
  }
  const found = readRunState(where, header.metadata.get('training')!.text);
  checkSameRun(where, found.configuration, configuration);
  if (found.position.step > run.steps) {
    throw new FormatError({
      operation: where,
      argument: 'training.position.step',
      expected: `at most ${run.steps}, the steps of an epoch`,
      received: String(found.position.step),
    });
  }
  if (found.callbacks.length !== remembering.length) {
    throw new ConfigError({
      operation: where,
      argument: 'callbacks',
      expected: `${found.callbacks.length} that remember something, as when it was saved`,
      received: String(remembering.length),
    });
  }
  state.forgetOptimizer();
  const runner = await state.runner(options);
  // Where another optimizer was used last, as in `onEpoch`, the next epoch starts this one anew.
  const startsAnew = found.slots.length === 0 && found.iterations === 0;
  if (!startsAnew) state.useOptimizer(runner, run.optimizer);
  const tensors = [...state.tensors('fit'), ...(state.optimizerTensors(run.optimizer) ?? [])];
  const kept = found.callbacks.map(({ tensors: list }, i) =>
    list.map(({ name, shape }) => ({ name: callbackTensor(i, name), key: name, shape })),
  );
  const entries = matchTensors(where, header, [...tensors, ...kept.flat()]);
  for (const [i, { data }] of tensors.entries()) await readTensorInto(where, file, opened, entries[i]!, data);
  state.tensorsChanged();
  state.iterations = found.iterations;
  for (const [i, callback] of remembering.entries()) {
    const weights: [string, { shape: readonly number[]; data: Float32Array }][] = [];
    for (const { name, key, shape } of kept[i]!) {
      const entry = header.tensors.get(name)!;
      const data = new Float32Array((entry.end - entry.begin) / 4);
      await readTensorInto(where, file, opened, entry, data);
      weights.push([key, { shape, data }]);
    }
    const { data } = found.callbacks[i]!;
    asFormatError(where, `callbacks[${i}]`, () =>
      callback.restoreState?.({ data, weights: Object.fromEntries(weights) }),
    );
  }
  // A run that was stopped while it tidied up has left one too many.
  await removeOldCheckpoints(operation, path.dirname(file), step, options.checkpoint.files);
  return found;
}

function callbackTensor(index: number, name: string): string {
  return `callback:${index}/${name}`;
}

function keyOf({ epoch, step }: RunPosition, stopped: boolean): string {
  return `${epoch}/${step}/${stopped}`;
}

/** Throws NonFiniteLossError: a checkpoint that cannot be gone on from would take the place of one that can. */
function checkFinite(tensors: readonly NamedTensor[], { epoch, step }: RunPosition): void {
  for (const { name, data } of tensors) {
    let zero = 0;
    for (let i = 0; i < data.length; i++) zero += data[i]! * 0;
    if (zero === 0) continue;
    const at = data.findIndex((value) => !Number.isFinite(value));
    throw new NonFiniteLossError(
      {
        operation: 'fit',
        argument: `checkpoint in epoch ${epoch + 1} after step ${step}`,
        expected: 'finite weights and optimizer state',
        received: `${data[at]} in ${name}, element ${at}`,
        hint: 'the checkpoints before it are untouched; lower the learning rate',
      },
      { epoch: epoch + 1, step, tensor: name },
    );
  }
}

async function checkEmpty(
  operation: string,
  folder: string,
  resume: boolean | 'ifAny',
  files: FileSystem,
): Promise<void> {
  const [newest] = await listCheckpoints(operation, folder, files);
  if (resume === true) {
    throw new ConfigError({
      operation,
      argument: 'folder',
      expected: 'a checkpoint to resume from',
      received: `none in ${folder}`,
      hint: "resume: 'ifAny' starts the run then",
    });
  }
  if (newest === undefined) return;
  throw new ConfigError({
    operation,
    argument: 'folder',
    expected: 'no checkpoints of another run, which would be replaced',
    received: newest.file,
    hint: 'resume: true goes on with that run; or take another folder',
  });
}

function checkCheckpoint(options: CheckpointOptions): void {
  const known = { folder: true, everySteps: true, resume: true, files: true } as const;
  checkOptions('fit, checkpoint', options, known);
  const { folder, everySteps, resume } = options;
  const fail = (argument: string, expected: string, received: unknown): never => {
    throw new ConfigError({
      operation: 'fit, checkpoint',
      argument,
      expected,
      received: formatValue(received),
    });
  };
  if (typeof folder !== 'string' || folder === '') fail('folder', "a folder's path", folder);
  if (everySteps !== undefined && !(Number.isSafeInteger(everySteps) && everySteps > 0)) {
    fail('everySteps', 'a positive integer', everySteps);
  }
  if (![undefined, true, false, 'ifAny'].includes(resume)) fail('resume', "true, false or 'ifAny'", resume);
}

function otherModel(operation: string, name: string, was: string, is: string): ConfigError {
  let at = 0;
  while (was[at] === is[at]) at++;
  const around = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 40), at + 40));
  return new ConfigError({
    operation,
    argument: `model, ${name}`,
    expected: `that of the checkpoint: ... ${around(was)} ...`,
    received: `... ${around(is)} ...`,
    hint: 'resume with the model that the run was started with',
  });
}

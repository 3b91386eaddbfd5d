/** Where a run is, as the JSON of a checkpoint: position, history, configuration, what callbacks remember. */
import { FormatError } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject, parseJson, writeJson } from '../io/json-value.ts';
import { type EpochRecord, withUnknown } from './history.ts';
import type { OutputSums } from './metrics.ts';

/** Where in its epochs a run is, between two steps. */
export interface RunPosition {
  /** From 0. */
  readonly epoch: number;
  /** Steps of the epoch that are done; all of them where only its validation is missing. */
  readonly step: number;
  /** Sums over the epoch's samples so far. */
  readonly loss: number;
  /** Shares of right answers. */
  readonly correct: number;
  /** Mean errors of losses of numbers. */
  readonly errors: number;
  readonly samples: number;
  /** The outputs' sums, where there are several with losses. */
  readonly outputs: readonly OutputSums[];
  /** Sums of the metrics that were asked for. */
  readonly metrics: readonly number[];
  /** Steps of the epoch that were left out. */
  readonly skippedSteps: number;
  /** Of the step before; 0 at an epoch's start. */
  readonly learningRate: number;
  /** Of the epoch so far. */
  readonly seconds: number;
}

/** All of a checkpoint but its tensors. */
export interface RunState {
  readonly position: RunPosition;
  /** Optimizer steps taken. */
  readonly iterations: number;
  readonly records: readonly EpochRecord[];
  /** Whether a callback has ended the run. */
  readonly stopped: boolean;
  readonly configuration: JsonObject;
  /** Names of the optimizer's state tensors; none where it starts anew. */
  readonly slots: readonly string[];
  /** Of the callbacks that remember something, in their order: plain data, and names and shapes of tensors. */
  readonly callbacks: readonly CallbackRecord[];
}

/** What a callback remembers. */
export interface CallbackRecord {
  readonly data: Json;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

const COUNTS = ['epoch', 'step', 'samples', 'skippedSteps'] as const;
const NUMBERS = ['loss', 'learningRate'] as const;
/** Members of a record that have figures of each output, and of each metric. */
const OUTPUTS = ['outputs', 'valOutputs'];
const METRICS = ['metrics', 'valMetrics'];
const SUMS = ['correct', 'errors', 'seconds'] as const;
/** Figures for which JSON has no numbers: the loss of a validation may be any of them. */
const NOT_FINITE: readonly unknown[] = ['NaN', 'Infinity', '-Infinity'];

/** The start of an epoch. */
export function startOfEpoch(epoch: number): RunPosition {
  const none = {
    step: 0,
    loss: 0,
    correct: 0,
    errors: 0,
    samples: 0,
    outputs: [],
    metrics: [],
    skippedSteps: 0,
  };
  return { epoch, ...none, learningRate: 0, seconds: 0 };
}

/** The JSON of a state. */
export function writeRunState(operation: string, state: RunState): string {
  return writeJson(operation, 'training', { ...state, records: inWords(state.records) });
}

/** Reads what `writeRunState` wrote. Throws FormatError for anything else, naming the member. */
export function readRunState(operation: string, text: string): RunState {
  const data = parseJson(text, operation, 'training, byte');
  const check = (holds: boolean, member: string, expected: string, value: unknown) => {
    if (holds) return;
    const received = (JSON.stringify(value) ?? 'none').slice(0, 200);
    throw new FormatError({ operation, argument: `training.${member}`, expected, received });
  };
  const object = (value: Json | undefined, member: string): JsonObject => {
    check(isJsonObject(value), member, 'an object', value);
    return value as JsonObject;
  };
  const list = (value: Json | undefined, member: string): readonly Json[] => {
    check(Array.isArray(value), member, 'a list', value);
    return value as readonly Json[];
  };
  const all = object(data, '');
  const position: JsonObject = {
    skippedSteps: 0,
    errors: 0,
    outputs: [],
    metrics: [],
    ...object(all.position, 'position'),
  };
  for (const name of COUNTS) {
    check(isCount(position[name]), `position.${name}`, 'a whole number from 0 on', position[name]);
  }
  for (const name of NUMBERS) {
    check(Number.isFinite(position[name]), `position.${name}`, 'a number', position[name]);
  }
  for (const name of SUMS) {
    const value = position[name];
    check(Number.isFinite(value) && (value as number) >= 0, `position.${name}`, 'a number from 0 on', value);
  }
  const outputs = list(position.outputs, 'position.outputs').map((output, i): OutputSums => {
    const { loss, correct, errors } = object(output, `position.outputs[${i}]`);
    const right = [loss, correct, errors].every(Number.isFinite);
    check(right, `position.outputs[${i}]`, 'sums loss, correct and errors', output);
    return { loss, correct, errors } as unknown as OutputSums;
  });
  const metrics = list(position.metrics, 'position.metrics');
  check(metrics.every(Number.isFinite), 'position.metrics', 'numbers', metrics as Json);
  check(isCount(all.iterations), 'iterations', 'a whole number from 0 on', all.iterations);
  check(typeof all.stopped === 'boolean', 'stopped', 'true or false', all.stopped);
  const records = list(all.records, 'records').map((record, i) => {
    const found = object(record, `records[${i}]`);
    const figures = figuresOf(found);
    const isFigure = (value: unknown) => Number.isFinite(value) || NOT_FINITE.includes(value);
    const bad = Object.keys(figures).find((name) => !isFigure(figures[name]));
    check(bad === undefined, `records[${i}].${bad}`, 'a number', bad && figures[bad]);
    check(
      found.epoch === i + 1 + firstEpoch(all.records),
      `records[${i}].epoch`,
      'epochs in order',
      found.epoch,
    );
    return withUnknown(fromWords(found) as object) as unknown as EpochRecord;
  });
  const slots = list(all.slots, 'slots');
  check(
    slots.every((slot) => typeof slot === 'string'),
    'slots',
    'names',
    slots,
  );
  const callbacks = list(all.callbacks, 'callbacks').map((callback, i): CallbackRecord => {
    const found = object(callback, `callbacks[${i}]`);
    const tensors = list(found.tensors, `callbacks[${i}].tensors`).map((tensor, j) => {
      const { name, shape } = object(tensor, `callbacks[${i}].tensors[${j}]`);
      const right = typeof name === 'string' && Array.isArray(shape) && shape.every(isCount);
      check(right, `callbacks[${i}].tensors[${j}]`, 'a name and a shape', tensor);
      return { name: name as string, shape: shape as readonly number[] };
    });
    return { data: found.data ?? null, tensors };
  });
  const { epoch, step, loss, correct, errors, samples, skippedSteps, learningRate, seconds } =
    position as unknown as RunPosition;
  return {
    position: {
      epoch,
      step,
      loss,
      correct,
      errors,
      samples,
      outputs,
      metrics: metrics as number[],
      skippedSteps,
      learningRate,
      seconds,
    },
    iterations: all.iterations as number,
    records,
    stopped: all.stopped as boolean,
    configuration: object(all.configuration, 'configuration'),
    slots: slots as readonly string[],
    callbacks,
  };
}

/** Plain data with words for the numbers that JSON does not have. */
function inWords(data: unknown): unknown {
  if (typeof data === 'number') return Number.isFinite(data) ? data : String(data);
  return mapped(data, inWords);
}

function fromWords(data: unknown): unknown {
  return NOT_FINITE.includes(data) ? Number(data) : mapped(data, fromWords);
}

/** Lists and records with each member changed; all else as it is. */
function mapped(data: unknown, change: (member: unknown) => unknown): unknown {
  if (Array.isArray(data)) return data.map(change);
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([name, member]) => [name, change(member)]));
}

/** The members of a record by their paths: `outputs.box.loss` for what is said of an output. */
function figuresOf(record: JsonObject): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(record).flatMap(([name, value]): [string, Json][] => {
      if (METRICS.includes(name)) return membersOf(name, value);
      if (!OUTPUTS.includes(name) || !isJsonObject(value)) return [[name, value]];
      return Object.entries(value).flatMap(([output, own]): [string, Json][] => {
        if (!isJsonObject(own)) return [[`${name}.${output}`, own]];
        return Object.entries(own).flatMap(([figure, each]): [string, Json][] => {
          const path = `${name}.${output}.${figure}`;
          return METRICS.includes(figure) ? membersOf(path, each) : [[path, each]];
        });
      });
    }),
  );
}

function membersOf(path: string, value: Json): [string, Json][] {
  if (!isJsonObject(value)) return [[path, value]];
  return Object.entries(value).map(([name, each]) => [`${path}.${name}`, each]);
}

/** Epochs before the first record: a run may have begun later (`initialEpoch`). */
function firstEpoch(records: Json | undefined): number {
  const first = (records as readonly JsonObject[])[0];
  return typeof first?.epoch === 'number' ? first.epoch - 1 : 0;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

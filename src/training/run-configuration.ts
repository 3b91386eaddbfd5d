/**
 * What decides the bits of a run, as plain data: a checkpoint stores it, and a resumed run must have the same. Where
 * it runs and how long is not part of it.
 */
import { createHash } from 'node:crypto';
import { createBatchBuffer, type Dataset, targetLength } from '../data/dataset.ts';
import { isNamed, type NamedDataset } from '../data/named-dataset.ts';
import { ConfigError } from '../errors.ts';
import { type Json, type JsonObject, writeJson } from '../io/json-value.ts';
import { elementCount } from '../tensor/shape.ts';
import type { FitOptions } from './fit.ts';
import { rateAt, scheduleOf } from './learning-rate.ts';
import type { Optimizer } from './optimizers.ts';

/** Options that change no bit of the weights after a given step, and those that are described in another way. */
const NOT_COMPARED: ReadonlySet<string> = new Set<keyof FitOptions>([
  'epochs',
  'initialEpoch',
  'threads',
  'engine',
  'wide',
  'signal',
  'onStep',
  'onEpoch',
  'callbacks',
  'checkpoint',
  'validation',
  'optimizer',
  'batchSize',
  'seed',
  'sampleWeight',
  'gradientNorms',
]);

/** Samples that stand for a data set. */
const PROBED_SAMPLES = 32;
/** Steps whose learning rates stand for a schedule. */
const PROBED_STEPS = [0, 1, 2, 5, 10, 50, 100, 500, 1000, 5000, 10_000, 100_000];

/** The configuration of a run with its defaults filled in. */
export async function describeRun(
  dataset: Dataset | NamedDataset,
  options: FitOptions,
  run: { readonly optimizer: Optimizer; readonly batchSize: number; readonly seed: number },
): Promise<JsonObject> {
  const { optimizer, batchSize, seed } = run;
  const { validation, sampleWeight } = options;
  const others = Object.entries(options)
    .filter(([name, value]) => !NOT_COMPARED.has(name) && value !== undefined)
    .map(([name, value]): [string, Json] => [name, plainOf(value)]);
  return {
    dataset: await describeDataset(dataset),
    validation: validation === undefined ? null : await describeDataset(validation),
    optimizer: plainOf(optimizer.plan),
    schedule: scheduleOf(optimizer.learningRate),
    learningRates: PROBED_STEPS.map((step) => ratesAt(optimizer, step)),
    batchSize,
    seed,
    sampleWeight: sampleWeight === undefined ? null : hashOf(Float64Array.from(sampleWeight)),
    ...Object.fromEntries(others.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** What the optimizer's kernel is told at a step; null where the user's schedule has no rate for it. */
function ratesAt(optimizer: Optimizer, step: number): Json {
  try {
    return [...optimizer.hyper(step, rateAt(optimizer.learningRate, step))];
  } catch {
    return null;
  }
}

/** Throws ConfigError unless both configurations are the same, naming what differs. */
export function checkSameRun(operation: string, stored: JsonObject, current: JsonObject): void {
  for (const name of new Set([...Object.keys(stored), ...Object.keys(current)])) {
    const [was, is] = [stored, current].map((run) => {
      const value = Object.hasOwn(run, name) ? run[name]! : null;
      return writeJson(operation, name, value);
    });
    if (was === is) continue;
    throw new ConfigError({
      operation,
      argument: name,
      expected: `what the checkpoint's run had, ${shorten(was!)}`,
      received: shorten(is!),
      hint: 'a resumed run must have the same options and data; for another run take another folder',
    });
  }
}

async function describeDataset(dataset: Dataset | NamedDataset): Promise<JsonObject> {
  if (isNamed(dataset)) return describeNamed(dataset);
  const { size, inputShape, inputType, targets, normalization = { kind: 'none' } } = dataset;
  const indices = probedSamples(size);
  const buffer = createBatchBuffer(dataset, indices.length);
  await dataset.read(indices, buffer);
  const described = { size, inputShape, inputType, targets, normalization };
  return {
    ...(plainOf(described) as JsonObject),
    samples: hashOf(buffer.inputs),
    answers: hashOf(buffer.targets),
  };
}

async function describeNamed(dataset: NamedDataset): Promise<JsonObject> {
  const { size, inputs, targets } = dataset;
  const indices = probedSamples(size);
  const count = indices.length;
  const mapped = <T, R>(record: Readonly<Record<string, T>>, to: (value: T) => R) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value)]));
  const buffer = {
    inputs: mapped(inputs, ({ shape, type }) => {
      const length = count * elementCount(shape);
      return type === 'uint8' ? new Uint8Array(length) : new Float32Array(length);
    }),
    targets: mapped(targets, (kind) => {
      const length = count * targetLength(kind);
      return kind.kind === 'index' ? new Int32Array(length) : new Float32Array(length);
    }),
  };
  await dataset.read(indices, buffer);
  return {
    ...(plainOf({ size, inputs, targets }) as JsonObject),
    samples: mapped(buffer.inputs, hashOf),
    answers: mapped(buffer.targets, hashOf),
  };
}

/** Samples spread over a data set. */
function probedSamples(size: number): Uint32Array {
  const count = Math.min(PROBED_SAMPLES, size);
  return Uint32Array.from({ length: count }, (_, i) => Math.floor((i * size) / count));
}

function hashOf(values: Uint8Array | Int32Array | Float32Array | Float64Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return createHash('sha256').update(bytes).digest('hex');
}

/** Plain data of an option's value: arrays from typed ones, functions by name alone. */
function plainOf(value: unknown): Json {
  if (typeof value === 'function') return 'a function';
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>);
  if (Array.isArray(value)) return value.map(plainOf);
  if (typeof value !== 'object' || value === null) return value as Json;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, plainOf(member)]));
}

function shorten(text: string): string {
  return text.length > 160 ? `${text.slice(0, 160)}...` : text;
}

/**
 * The folder of a run: config.json (what it was started with), checkpoints, model.safetensors, result.json. All are
 * written whole or not at all.
 */
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, FileError, FormatError } from '../../src/errors.ts';
import type { EpochRecord } from '../../src/index.ts';
import { replaceAtomically } from '../../src/io/atomic-write.ts';
import { listCheckpoints } from '../../src/io/checkpoint-folder.ts';
import { isJsonObject, type Json, parseJson } from '../../src/io/json-value.ts';
import { argumentsOf, parseOptions, type TrainOptions } from './options.ts';

/** The fields of result.json. */
export interface Result {
  readonly model: string;
  readonly parameters: number;
  readonly data: 'cifar10' | 'synthetic';
  readonly engine: 'simd' | 'scalar';
  readonly threads: number;
  readonly seed: number;
  readonly numerics: TrainOptions['numerics'];
  readonly normalization: TrainOptions['normalization'];
  readonly augmentation: boolean;
  readonly batchSize: number;
  readonly node: string;
  readonly epochs: readonly EpochRecord[];
  readonly test: { readonly loss: number; readonly accuracy: number };
  /** Over all parameters in order, little-endian f32. */
  readonly weightsSha256: string;
}

/** Longer configurations are no run's. */
const MAX_CONFIG_BYTES = 65_536;

export const checkpointFolder = (out: string): string => path.join(out, 'checkpoints');

/** Makes the folder of a new run. Throws ConfigError where that cannot be, or where there is a run already. */
export async function makeRunFolder({ out }: TrainOptions): Promise<void> {
  try {
    await mkdir(out, { recursive: true });
  } catch (error) {
    throw new ConfigError({
      operation: 'train:cifar',
      argument: '--out',
      expected: 'a folder that can be written to',
      received: error instanceof Error ? error.message : String(error),
    });
  }
  const [newest] = await listCheckpoints('train:cifar', checkpointFolder(out));
  if (newest === undefined) return;
  throw new ConfigError({
    operation: 'train:cifar',
    argument: '--out',
    expected: 'a folder without a run',
    received: `${out}, with ${path.basename(newest.file)}`,
    hint: '--resume in the place of --out goes on with that run',
  });
}

/** Writes what the run was started with. */
export function writeConfig(options: TrainOptions): Promise<void> {
  const config = { format: 'faltung-run', version: 1, command: 'train:cifar', options: argumentsOf(options) };
  return writeJsonFile(path.join(options.out, 'config.json'), config);
}

/**
 * The options of the run in a folder. Throws FileError where there is none, FormatError for what is no configuration
 * of this command, of a later version, or makes no sense.
 */
export async function readConfig(out: string): Promise<TrainOptions> {
  const file = path.join(out, 'config.json');
  const operation = `train:cifar --resume, ${file}`;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    const hint = 'name the folder of a run, such as runs/<date>-cifar';
    throw new FileError({ operation, expected: 'to read it', received, hint }, { cause });
  }
  if (text.length > MAX_CONFIG_BYTES) {
    throw new FormatError({
      operation,
      expected: `at most ${MAX_CONFIG_BYTES} characters`,
      received: String(text.length),
    });
  }
  const config = parseJson(text.trimEnd(), operation, 'byte');
  const { format, version, command, options } = isJsonObject(config) ? config : ({} as Record<string, Json>);
  if (format !== 'faltung-run' || command !== 'train:cifar' || !isJsonObject(options)) {
    throw new FormatError({
      operation,
      expected: 'the configuration of a run of train:cifar',
      received: 'another file',
    });
  }
  if (version !== 1) {
    const hint = 'update Faltung: a newer one wrote it';
    throw new FormatError({
      operation,
      argument: 'version',
      expected: '1',
      received: JSON.stringify(version) ?? 'none',
      hint,
    });
  }
  const args = Object.entries(options).flatMap(([name, value]) => {
    if (value === true) return [`--${name}`];
    if (typeof value === 'string' || typeof value === 'number') return [`--${name}=${value}`];
    throw new FormatError({
      operation,
      argument: name,
      expected: 'a text or a number',
      received: JSON.stringify(value),
    });
  });
  try {
    return parseOptions([...args, `--out=${out}`]);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new FormatError({ ...cause.details, operation }, { cause });
  }
}

/** Writes result.json; returns its path. */
export async function writeResult({ out }: TrainOptions, result: Result): Promise<string> {
  const file = path.join(out, 'result.json');
  await writeJsonFile(file, result);
  return file;
}

function writeJsonFile(file: string, data: object): Promise<void> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(data, null, 2)}\n`);
  return replaceAtomically('train:cifar', file, (target) => target.write(bytes, 0));
}

/**
 * The folder of a run: config.json (what it was started with), metrics.jsonl, metrics.csv, checkpoints,
 * best.safetensors, model.safetensors, result.json, report.html. All but the metrics, which grow, are written whole or
 * not at all.
 */
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, FileError, FormatError } from '../../src/errors.ts';
import type { Resize } from '../../src/index.ts';
import { replaceAtomically } from '../../src/io/atomic-write.ts';
import { listCheckpoints } from '../../src/io/checkpoint-folder.ts';
import { isJsonObject, type Json, parseJson } from '../../src/io/json-value.ts';
import { type Arguments, wordsOf } from './options.ts';

/** Longer configurations are no run's. */
const MAX_CONFIG_BYTES = 65_536;

/** Where the parts of a run are. */
export function runFiles(out: string) {
  const at = (name: string) => path.join(out, name);
  return {
    config: at('config.json'),
    events: at('metrics.jsonl'),
    table: at('metrics.csv'),
    checkpoints: at('checkpoints'),
    best: at('best.safetensors'),
    model: at('model.safetensors'),
    result: at('result.json'),
    report: at('report.html'),
  } as const;
}

/** Makes the folder of a new run. Throws ConfigError where that cannot be, or where there is a run already. */
export async function makeRunFolder(command: string, out: string): Promise<void> {
  try {
    await mkdir(out, { recursive: true });
  } catch (error) {
    throw new ConfigError({
      operation: command,
      argument: '--out',
      expected: 'a folder that can be written to',
      received: error instanceof Error ? error.message : String(error),
    });
  }
  const [newest] = await listCheckpoints(command, runFiles(out).checkpoints);
  if (newest === undefined) return;
  throw new ConfigError({
    operation: command,
    argument: '--out',
    expected: 'a folder without a run',
    received: `${out}, with ${path.basename(newest.file)}`,
    hint: '--resume in the place of --out goes on with that run',
  });
}

/** Picture files that a run's page shows the model's answers to. */
export interface RunSamples {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly resize: Resize;
  readonly classNames: readonly string[];
  /** Paths below the folder of `--data`, and the classes' indices. */
  readonly files: readonly { readonly file: string; readonly label: number }[];
}

/** Writes what a run was started with; `samples` are left out where they are too long to be read again. */
export function writeConfig(
  command: string,
  out: string,
  options: Arguments,
  samples?: RunSamples,
): Promise<void> {
  const config = { format: 'faltung-run', version: 1, command, options };
  const all = { ...config, ...(samples && { samples }) };
  const fits = jsonText(all).length <= MAX_CONFIG_BYTES;
  return writeJson(command, runFiles(out).config, fits ? all : config);
}

/**
 * The options of the run in a folder, read by `parse` as a command line would be. Throws FileError where there is
 * none, FormatError for what is no configuration of this command, of a later version, or makes no sense.
 */
export async function readConfig<Options>(
  command: string,
  out: string,
  parse: (args: readonly string[]) => Options,
): Promise<Options> {
  const file = runFiles(out).config;
  const operation = `${command} --resume, ${file}`;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    const hint = 'name the folder of a run, such as runs/<date>-<name>';
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
  const {
    format,
    version,
    command: of,
    options,
  } = isJsonObject(config) ? config : ({} as Record<string, Json>);
  if (format !== 'faltung-run' || of !== command || !isJsonObject(options)) {
    throw new FormatError({
      operation,
      expected: `the configuration of a run of ${command}`,
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
  for (const [name, value] of Object.entries(options)) {
    if (value === true || typeof value === 'string' || typeof value === 'number') continue;
    throw new FormatError({
      operation,
      argument: name,
      expected: 'a text or a number',
      received: JSON.stringify(value),
    });
  }
  try {
    return parse([...wordsOf(options as Arguments), `--out=${out}`]);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new FormatError({ ...cause.details, operation }, { cause });
  }
}

/** Writes a file of JSON, whole or not at all. */
export function writeJson(command: string, file: string, data: object): Promise<void> {
  return writeWhole(command, file, jsonText(data));
}

function jsonText(data: object): string {
  return `${JSON.stringify(data, null, 2)}\n`;
}

/** Writes a text file, whole or not at all. */
export function writeWhole(command: string, file: string, text: string): Promise<void> {
  return replaceAtomically(command, file, (target) => target.write(new TextEncoder().encode(text), 0));
}

/**
 * What a file of a model says beside its tensors, in `__metadata__`:
 *   format        'faltung-model', or 'faltung-checkpoint' of a run in progress
 *   version       '3' with several inputs, else '2', or '1' without `data`; files of newer versions are refused
 *   numerics      'fast', 'accurate' or 'direct'
 *   architecture  JSON (architecture.ts)
 *   data          JSON: names of classes, normalisation, ... of the data that it was trained on; may be missing
 *   training      checkpoints only: JSON
 *   sha256        of the whole file (safetensors-file.ts); may be missing in a model that another program wrote
 * Tensors are named as in `getWeights`: layer/parameter.
 */
import { FormatError } from '../errors.ts';
import type { Numerics } from '../layers/conv-algorithm.ts';
import { type Graph, graphParameters } from '../model/graph.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import { type Architecture, buildArchitecture, describeArchitecture } from './architecture.ts';
import type { DefinedLayer } from './architecture-layers.ts';
import { type Json, parseJson, writeJson } from './json-value.ts';
import type { SafetensorsHeader, TensorEntry } from './safetensors-header.ts';

/** Files of later versions are refused. */
const VERSION = 3;
const FORMATS = ['faltung-model', 'faltung-checkpoint'] as const;
const MODEL_KEYS = ['sha256', 'format', 'version', 'numerics', 'architecture', 'data'];
const NUMERICS: readonly string[] = ['fast', 'accurate', 'direct'];

/** Tensors of a checkpoint that belong to the run: no layer's name has a colon. */
export const RUN_TENSOR = /^[a-z]+:/;

export type ModelFormat = (typeof FORMATS)[number];

/** What a model is but for its weights. */
export interface ModelDescription extends Architecture {
  readonly numerics: Numerics;
  /** Of the data that it was trained on. */
  readonly data?: Json;
}

/** The metadata of a model's file. Throws ConfigError for layers that no file could bring back. */
export function describeModel(
  operation: string,
  model: ModelDescription,
  format: ModelFormat = 'faltung-model',
): Map<string, string> {
  const architecture = describeArchitecture(operation, model);
  const { data } = model;
  return new Map([
    ['format', format],
    ['version', model.graph.inputs.length > 1 ? '3' : data === undefined ? '1' : '2'],
    ['numerics', model.numerics],
    ['architecture', writeJson(operation, 'architecture', architecture)],
    ...(data === undefined ? [] : [['data', writeJson(operation, 'data', data)] as const]),
  ]);
}

/** The model that a header describes. Throws FormatError for what is none, or of a newer version. */
export function readModelDescription(
  operation: string,
  header: SafetensorsHeader,
  own: readonly DefinedLayer[],
): ModelDescription & { readonly format: ModelFormat } {
  const { format, numerics } = readFormat(operation, header);
  const text = header.metadata.get('architecture')!.text;
  const data = header.metadata.get('data');
  return {
    ...buildArchitecture(operation, parseJson(text, operation, 'architecture, byte'), own),
    ...(data !== undefined && { data: parseJson(data.text, operation, 'data, byte') }),
    numerics,
    format,
  };
}

/** Format and numerics of a header. Throws FormatError where it is not a model's, or of a newer version. */
export function readFormat(
  operation: string,
  header: SafetensorsHeader,
): { readonly format: ModelFormat; readonly numerics: Numerics } {
  const text = (key: string) => header.metadata.get(key)?.text;
  const format = text('format') as ModelFormat | undefined;
  if (format === undefined || !FORMATS.includes(format)) {
    throw wrong(operation, 'format', FORMATS.join(' or '), format, 'a file that model.save() wrote');
  }
  const version = text('version') ?? '';
  if (!/^[1-9]\d{0,8}$/.test(version)) throw wrong(operation, 'version', 'a whole number from 1 on', version);
  if (Number(version) > VERSION) {
    throw wrong(operation, 'version', `at most ${VERSION}`, version, 'update Faltung: a newer one wrote it');
  }
  const keys = format === 'faltung-checkpoint' ? [...MODEL_KEYS, 'training'] : MODEL_KEYS;
  const needed = keys.filter(
    (key) => key !== 'data' && (key !== 'sha256' || format === 'faltung-checkpoint'),
  );
  const strange = [...header.metadata.keys()].find((key) => !keys.includes(key));
  const missing = needed.find((key) => !header.metadata.has(key));
  if (strange !== undefined || missing !== undefined) {
    const received = strange === undefined ? `none called ${missing}` : JSON.stringify(strange);
    throw new FormatError({
      operation,
      argument: '__metadata__',
      expected: `${keys.join(', ')}`,
      received,
    });
  }
  const numerics = text('numerics')!;
  if (!NUMERICS.includes(numerics)) throw wrong(operation, 'numerics', NUMERICS.join(' or '), numerics);
  return { format, numerics: numerics as Numerics };
}

/**
 * The entries of all `wanted` tensors, in their order. Throws FormatError unless the file has these, of these shapes,
 * in f32, and no others but `besides`: before any memory is taken for them.
 */
export function matchTensors(
  operation: string,
  header: SafetensorsHeader,
  wanted: readonly { readonly name: string; readonly shape: readonly number[] }[],
  besides?: RegExp,
): TensorEntry[] {
  const names = new Set(wanted.map(({ name }) => name));
  if (names.size < wanted.length)
    throw wrong(operation, 'architecture', 'distinct parameters', 'one name twice');
  for (const { name } of header.tensors.values()) {
    if (names.has(name) || besides?.test(name)) continue;
    throw wrong(operation, 'tensors', 'those of the architecture alone', name);
  }
  return wanted.map(({ name, shape }) => {
    const entry = header.tensors.get(name);
    const expected = `F32 ${formatShape(shape)}`;
    if (entry === undefined) throw wrong(operation, `tensor "${name}"`, expected, undefined);
    if (entry.dtype === 'F32' && sameShape(entry.shape, shape)) return entry;
    throw wrong(operation, `tensor "${name}"`, expected, `${entry.dtype} ${formatShape(entry.shape)}`);
  });
}

/** Names and shapes of a model's tensors in a file, in order. */
export function modelTensors(graph: Graph): { name: string; shape: readonly number[] }[] {
  return graphParameters(graph).map(({ name, spec }) => ({ name, shape: spec.shape }));
}

function wrong(
  operation: string,
  argument: string,
  expected: string,
  received: string | undefined,
  hint?: string,
): FormatError {
  const text = received === undefined ? 'none' : JSON.stringify(received.slice(0, 200));
  const details = { operation, argument, expected, received: text };
  return new FormatError(hint === undefined ? details : { ...details, hint });
}

/**
 * How far a soak has come: a JSON file that is replaced whole, so that a run that is killed at any moment goes on
 * from the last state written.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { FormatError } from '../../src/errors.ts';
import type { Figures } from './soak.ts';

/** One trial that failed. */
export interface Failure {
  readonly index: number;
  readonly message: string;
}

/** The state of a soak after `next` trials. */
export interface SoakState {
  readonly format: 'faltung-soak';
  readonly version: 1;
  readonly what: string;
  readonly seed: number;
  /** Trials done: those with smaller indices. */
  next: number;
  failed: number;
  /** The first failures, at most `KEPT_FAILURES`. */
  readonly failures: Failure[];
  readonly largest: Record<string, number>;
  readonly total: Record<string, number>;
  /** Time spent on trials, all runs together. */
  seconds: number;
}

/** Failures that a state keeps by index and message; more are counted. */
export const KEPT_FAILURES = 100;

/** The state before the first trial. */
export function freshState(what: string, seed: number): SoakState {
  return {
    format: 'faltung-soak',
    version: 1,
    what,
    seed,
    next: 0,
    failed: 0,
    failures: [],
    largest: {},
    total: {},
    seconds: 0,
  };
}

/** Adds what a trial found. */
export function addFigures(state: SoakState, figures: Figures | undefined): void {
  for (const [name, value] of Object.entries(figures?.largest ?? {})) {
    state.largest[name] = Math.max(state.largest[name] ?? Number.NEGATIVE_INFINITY, value);
  }
  for (const [name, value] of Object.entries(figures?.total ?? {})) {
    state.total[name] = (state.total[name] ?? 0) + value;
  }
}

/** Adds a trial that failed. */
export function addFailure(state: SoakState, index: number, error: unknown): void {
  state.failed++;
  if (state.failures.length >= KEPT_FAILURES) return;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  state.failures.push({ index, message: message.slice(0, 2000) });
}

/** Reads a state; undefined where there is none. Throws FormatError where the file is not one. */
export function readState(file: string): SoakState | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const state = JSON.parse(text) as Partial<SoakState> | null;
    if (state?.format === 'faltung-soak' && state.version === 1) return state as SoakState;
  } catch {}
  throw new FormatError({
    operation: 'soak',
    argument: file,
    expected: "a soak's state, version 1",
    received: JSON.stringify(text.slice(0, 60)),
    hint: '--fresh replaces it',
  });
}

/** Writes a state: to a temporary file, flushed, then renamed. */
export function writeState(file: string, state: SoakState): void {
  mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.tmp`;
  const handle = openSync(temporary, 'w');
  try {
    writeSync(handle, `${JSON.stringify(state, null, 2)}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, file);
}

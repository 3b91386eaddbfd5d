/** What mutation runs of one seed have found so far: a file that is replaced whole, so that a run can be broken off. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Mutant } from './mutants.ts';
import type { Baselines, Outcome } from './trial.ts';

export interface MutationState {
  readonly format: 'faltung-mutate';
  readonly version: 1;
  readonly outcomes: Record<string, Outcome>;
  readonly baselines: Baselines;
}

/** What an outcome is kept under: it holds for this text of the file only. */
export function keyOf(mutant: Mutant, text: string): string {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `${mutant.file}@${hash}:${mutant.start}-${mutant.end}:${mutant.text}`;
}

/** Reads what there is; an empty state where there is nothing. */
export function readMutationState(file: string): MutationState {
  const empty: MutationState = { format: 'faltung-mutate', version: 1, outcomes: {}, baselines: {} };
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return empty;
    throw error;
  }
  const state = JSON.parse(text) as MutationState;
  if (state.format !== 'faltung-mutate' || state.version !== 1)
    throw new Error(`${file} is of another version`);
  return state;
}

export function writeMutationState(file: string, state: MutationState): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(`${file}.tmp`, `${JSON.stringify(state, null, 1)}\n`);
  renameSync(`${file}.tmp`, file);
}

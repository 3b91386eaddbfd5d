/** Runs trials one after the other and keeps their figures; the command and the suite's tests use it alike. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Soak } from './soak.ts';
import { addFailure, addFigures, freshState, type SoakState } from './state.ts';

/** What a run is told and tells. */
export interface RunOptions {
  /** Trials in all, those of earlier runs included. */
  readonly count: number;
  /** Ends the run after the trial in hand. */
  readonly signal?: AbortSignal | undefined;
  /** Called about ten times a second, between two trials. */
  readonly onProgress?: (state: SoakState) => void;
}

/** Milliseconds after which signals are let in and progress is shown. */
const BREATH_MS = 100;

/** Brings `state` to `count` trials, or as far as the signal lets it. */
export async function runSoak(soak: Soak, state: SoakState, options: RunOptions): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), `faltung-soak-${soak.name}-`));
  try {
    const trials = await soak.start({ seed: state.seed, folder });
    try {
      let last = performance.now();
      const keep = () => {
        const now = performance.now();
        state.seconds += (now - last) / 1000;
        last = now;
        options.onProgress?.(state);
      };
      while (state.next < options.count && !options.signal?.aborted) {
        try {
          const figures = trials.trial(state.next);
          // Waiting costs more than a short trial does.
          addFigures(state, figures instanceof Promise ? await figures : figures);
        } catch (error) {
          addFailure(state, state.next, error);
        }
        state.next++;
        if (performance.now() - last < BREATH_MS) continue;
        keep();
        await setImmediate();
      }
      keep();
    } finally {
      await trials.close?.();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs one trial; throws what it throws. */
export async function replayTrial(soak: Soak, seed: number, index: number): Promise<SoakState> {
  const state = freshState(soak.name, seed);
  const folder = mkdtempSync(path.join(tmpdir(), `faltung-soak-${soak.name}-`));
  try {
    const trials = await soak.start({ seed, folder });
    try {
      addFigures(state, await trials.trial(index));
    } finally {
      await trials.close?.();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return state;
}

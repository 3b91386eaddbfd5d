/** The last lines of a soak: counts, figures, and how each failure replays. */
import { formatDuration } from '../training/duration.ts';
import type { Soak } from './soak.ts';
import type { SoakState } from './state.ts';

/** Failures shown in full; the state file has more. */
const SHOWN = 10;

/** How trial `index` runs by itself. */
export function replayCommand(what: string, seed: number, index: number): string {
  return `npm run soak -- --what ${what} --seed ${seed} --index ${index}`;
}

/** All figures on one line: largest error/bound 0.921, refused 812. */
export function formatFigures({ largest, total }: Pick<SoakState, 'largest' | 'total'>): string {
  return [
    ...Object.entries(largest).map(([name, value]) => `largest ${name} ${Number(value.toPrecision(4))}`),
    ...Object.entries(total).map(([name, value]) => `${name} ${value}`),
  ].join(', ');
}

/** The failures and then the counts. */
export function summarize(soak: Soak, state: SoakState, file: string): string {
  const shown = state.failures.slice(0, SHOWN);
  const lines = shown.flatMap(({ index, message }) => [
    `FAILED ${soak.name}, seed ${state.seed}, index ${index}: ${message}`,
    `  replay: ${replayCommand(soak.name, state.seed, index)}`,
  ]);
  if (state.failed > shown.length) lines.push(`... and ${state.failed - shown.length} more (${file})`);
  const figures = formatFigures(state);
  const parts = [
    `${soak.name}: ${state.next} ${soak.unit}, ${state.failed} failed`,
    `seed ${state.seed}`,
    formatDuration(state.seconds),
    ...(figures === '' ? [] : [figures]),
  ];
  return [...lines, parts.join(', ')].join('\n');
}

/** The view of a run from its folder's metrics.jsonl, the events that `jsonlLogger` writes. */
import { type EpochRecord, type StepProgress, withUnknown } from '../training/history.ts';
import { pointBetween } from './points.ts';
import { changedView, type RunStatus, type RunView } from './run-view.ts';

/** An event is whatever a file says: nothing of it is taken for granted. */
interface RunEvent extends Partial<StepProgress> {
  readonly event?: unknown;
  readonly time?: unknown;
  readonly samples?: unknown;
  readonly end?: unknown;
  readonly message?: unknown;
}

/** Without news for so long a run that has not ended is 'silent'. */
const SILENT_MS = 120_000;

/** `view` with what the lines say, at the time `now` (ms). Lines that are no events are passed over. */
export function viewOfEvents(view: RunView, text: string, now: number): RunView {
  let result: RunView = { ...view, records: [], points: [], status: 'waiting' };
  let before: { readonly progress: StepProgress; readonly time: number } | undefined;
  let [samples, latest] = [0, 0];
  for (const line of text.split('\n')) {
    const event = parsed(line);
    if (event === undefined) continue;
    const time = Date.parse(String(event.time));
    latest = Math.max(latest, time || 0);
    if (event.event === 'begin') {
      samples = positive(event.samples);
      before = undefined;
      result = { ...result, epochs: positive(event.epochs), status: 'running' };
    } else if (event.event === 'steps' && isProgress(event)) {
      const progress = withUnknown(event);
      const seconds = before === undefined ? Number.POSITIVE_INFINITY : (time - before.time) / 1000;
      const perStep = samples / event.steps;
      const point = pointBetween(before?.progress, progress, ({ step }) => step * perStep, seconds);
      const rate = point.imagesPerSecond > 0 ? point : { ...point, imagesPerSecond: event.imagesPerSecond };
      result = changedView(result, { progress, points: [rate] });
      before = { progress, time };
    } else if (event.event === 'epoch' && Number.isSafeInteger(event.epoch)) {
      const { event: _, time: __, ...record } = event;
      result = changedView(result, { records: [withUnknown(record) as unknown as EpochRecord] });
      before = undefined;
    } else if (event.event === 'end') {
      result = { ...result, status: statusOf(event.end) };
    } else if (event.event === 'failed') {
      result = { ...result, status: 'failed', message: String(event.message) };
    }
  }
  const silent = result.status === 'running' && now - latest > SILENT_MS;
  return silent ? { ...result, status: 'silent' } : result;
}

function parsed(line: string): RunEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function isProgress(event: RunEvent): event is RunEvent & StepProgress {
  const names = ['epoch', 'epochs', 'step', 'steps', 'loss', 'imagesPerSecond', 'secondsLeft'] as const;
  return names.every((name) => Number.isFinite(event[name])) && event.steps! > 0;
}

function positive(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function statusOf(end: unknown): RunStatus {
  return end === 'finished' || end === 'stopped' || end === 'aborted' ? end : 'silent';
}

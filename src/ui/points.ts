/** Points of the curves, from what a run says of an epoch so far. */
import type { StepProgress } from '../training/history.ts';
import type { RunPoint } from './run-view.ts';

type Progress = Pick<StepProgress, 'epoch' | 'step' | 'steps' | 'loss' | 'accuracy'>;

/**
 * Means over the steps between two looks, from the means since the epoch's start. `samplesOf`: how many samples are
 * behind a look; `seconds`: between the two.
 */
export function pointBetween<P extends Progress>(
  before: P | undefined,
  now: P,
  samplesOf: (progress: P) => number,
  seconds: number,
): RunPoint {
  const start = before?.epoch === now.epoch && before.step < now.step ? before : undefined;
  const [first, last] = [start ? samplesOf(start) : 0, samplesOf(now)];
  const samples = Math.max(1, last - first);
  const mean = (name: 'loss' | 'accuracy') =>
    last === first ? now[name] : (now[name] * last - (start ? start[name] * first : 0)) / samples;
  return {
    epoch: now.epoch - 1 + now.step / now.steps,
    loss: mean('loss'),
    accuracy: mean('accuracy'),
    imagesPerSecond: samples / Math.max(seconds, 1e-3),
  };
}

/** The callback of `fit` that tells the page how the run goes. It reads, and waits while the run is paused. */
import type { Dataset } from '../data/dataset.ts';
import { isNamed } from '../data/named-dataset.ts';
import { FaltungError } from '../errors.ts';
import type { Callback, TrainingRun } from '../training/callbacks/callback.ts';
import type { EpochRecord, StepProgress } from '../training/history.ts';
import { runOptionsOf } from '../training/where.ts';
import { canShowSamples, filterPictures, firstConvolution, samplePictures } from './pictures.ts';
import { pointBetween } from './points.ts';
import type { RunStatus, ViewChange } from './run-view.ts';

/** Seconds between two points of the curves, two looks at the filters, and two predictions, at least. */
const POINT_SECONDS = 0.25;
const FILTER_SECONDS = 2;
const PREDICTION_SECONDS = 1;
/** Reading the weights copies them: of models with more parameters the filters are shown after epochs only. */
const MOST_COPIED = 5_000_000;

export interface LiveCallbackOptions {
  readonly samples: Dataset | undefined;
  readonly sampleCount: number;
  /** Whether anybody looks on: nothing costly is done for nobody. */
  readonly watched: () => boolean;
  readonly update: (change: ViewChange) => void;
  /** While the run is paused, a promise of its end. */
  readonly pause: (signal: AbortSignal | undefined) => Promise<void> | undefined;
  readonly status: () => RunStatus;
}

export function liveCallback(options: LiveCallbackOptions): Callback {
  const { update, watched } = options;
  let layer: string | undefined;
  let before: StepProgress | undefined;
  let at = 0;
  let [nextPoint, nextFilters, nextPrediction] = [0, 0, 0];
  /** The epoch that the pictures are of. */
  let pictured = 0;
  let unshown = false;

  /** Filters and samples; the model may be used now. */
  async function pictures(run: TrainingRun, epoch: number): Promise<void> {
    const { model, dataset, options: fit } = run;
    pictured = epoch;
    nextPrediction = performance.now() + 1000 * PREDICTION_SECONDS;
    const weights = model.getWeights();
    layer = firstConvolution(weights);
    update({ ...(layer !== undefined && { filters: filterPictures(weights, layer, epoch) }) });
    const samples = options.samples ?? fit.validation ?? dataset;
    if (unshown || isNamed(samples) || !canShowSamples(model, samples)) return;
    try {
      update({
        samples: await samplePictures(model, samples, options.sampleCount, runOptionsOf(fit), epoch),
      });
    } catch (error) {
      // No memory for a second program, answers that are NaN: worth no run.
      if (!(error instanceof FaltungError)) throw error;
      unshown = true;
      update({ message: `Samples cannot be shown: ${error.message}` });
    }
  }

  return {
    async onTrainBegin(run) {
      before = undefined;
      at = performance.now();
      update({ epochs: run.epochs, ...(options.status() === 'waiting' && { status: 'running' }) });
      await pictures(run, run.options.initialEpoch ?? 0);
    },
    async onBatchEnd(progress, run) {
      const now = performance.now();
      const epoch = progress.epoch - 1 + progress.step / progress.steps;
      if (now >= nextPoint) {
        nextPoint = now + 1000 * POINT_SECONDS;
        const point = pointBetween(before, progress, batchSizeOf(run), (now - at) / 1000);
        [before, at] = [progress, now];
        update({ progress, points: [point] });
      }
      const small = run.model.parameterCount <= MOST_COPIED;
      if (layer !== undefined && small && watched() && now >= nextFilters) {
        nextFilters = now + 1000 * FILTER_SECONDS;
        update({ filters: filterPictures(run.model.getWeights(), layer, epoch) });
      }
      const pause = options.pause(run.options.signal);
      if (pause === undefined) return;
      await pause;
      at = performance.now();
    },
    async onEpochEnd(record: EpochRecord, run) {
      update({ records: [record] });
      if (performance.now() >= nextPrediction) await pictures(run, record.epoch);
      // Validation and pictures are no part of the next steps' rate.
      [before, at] = [undefined, performance.now()];
    },
    async onTrainEnd({ end, epochs }, run) {
      const last = epochs.at(-1)?.epoch ?? 0;
      if (last > pictured) await pictures(run, last);
      update({ status: end, records: epochs });
    },
  };
}

function batchSizeOf({ dataset, options }: TrainingRun): (progress: StepProgress) => number {
  const size = Math.min(options.batchSize ?? 32, dataset.size);
  return ({ step, skippedSteps = 0 }) => Math.min(dataset.size, (step - skippedSteps) * size);
}

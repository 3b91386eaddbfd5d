/** Runs a training loop with callbacks around it. */
import type { Dataset } from '../../data/dataset.ts';
import type { NamedDataset } from '../../data/named-dataset.ts';
import { checkOptions } from '../../known-options.ts';
import type { FitOptions } from '../fit.ts';
import type { EpochRecord, History } from '../history.ts';
import type { Model } from '../model.ts';
import { FIT_OPTIONS } from '../option-names.ts';
import type { TrainingRun } from './callback.ts';

/**
 * The loop itself: yields each finished epoch, returns how the run ended. `resumed` is told the epochs of a run that
 * goes on.
 */
export type TrainingLoop = (
  options: FitOptions,
  resumed: (records: readonly EpochRecord[]) => void,
) => AsyncGenerator<EpochRecord, History['end'], void>;

/**
 * The epochs of `loop`, with the callbacks of `options` called in their order. A caller that leaves its `for await`
 * early ends the run after that epoch; `onTrainEnd` is called then, too.
 */
export async function* runWithCallbacks(
  model: Model,
  dataset: Dataset | NamedDataset,
  options: FitOptions,
  loop: TrainingLoop,
): AsyncGenerator<EpochRecord, History, void> {
  checkOptions('fit', options, FIT_OPTIONS);
  const { callbacks = [], epochs = 1 } = options;
  const run: TrainingRun = { model, dataset, options, epochs };
  const records: EpochRecord[] = [];
  // Where the caller leaves, nothing after `yield` runs but `finally`.
  let end: History['end'] | 'failed' = 'stopped';
  let finished: ReturnType<TrainingLoop> | undefined;
  try {
    for (const callback of callbacks) await callback.onTrainBegin?.(run);
    finished = loop(withCallbacks(options, run), (before) => records.push(...before));
    for (let next = await finished.next(); ; next = await finished.next()) {
      if (next.done === true) {
        end = next.value;
        break;
      }
      records.push(next.value);
      yield next.value;
    }
  } catch (error) {
    end = 'failed';
    throw error;
  } finally {
    if (end !== 'failed') {
      await finished?.return('stopped');
      for (const callback of callbacks) await callback.onTrainEnd?.({ epochs: records, end }, run);
    }
  }
  return { epochs: records, end };
}

/** The options with `onStep` and `onEpoch` that call the callbacks after the user's own. */
function withCallbacks(options: FitOptions, run: TrainingRun): FitOptions {
  const { callbacks = [], onStep, onEpoch } = options;
  const perBatch = callbacks.filter(({ onBatchEnd }) => onBatchEnd !== undefined);
  return {
    ...options,
    ...(perBatch.length > 0 && {
      onStep: async (progress) => {
        await onStep?.(progress);
        for (const callback of perBatch) await callback.onBatchEnd?.(progress, run);
      },
    }),
    onEpoch: async (record, epochs) => {
      let stop = (await onEpoch?.(record, epochs)) === 'stop';
      for (const callback of callbacks) stop = (await callback.onEpochEnd?.(record, run)) === 'stop' || stop;
      return stop ? 'stop' : undefined;
    },
  };
}

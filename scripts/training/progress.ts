/** Shows a run as it goes: a bar for the running epoch in a terminal, a line every few seconds elsewhere. */
import { styleText } from 'node:util';
import { SingleBar } from 'cli-progress';
import type { EpochRecord, StepProgress } from '../../src/training/history.ts';
import { barLine } from './bar.ts';
import { formatDuration } from './duration.ts';
import { figuresOf } from './figures.ts';

/** Seconds between two lines where there is no terminal. */
const QUIET_SECONDS = 10;

/** Shows steps and epochs on a stream. */
export interface ProgressDisplay {
  step(progress: StepProgress): void;
  /** `best`: whether it is the best epoch so far. */
  epoch(record: EpochRecord, epochs: number, best: boolean): void;
  /** Clears what is unfinished. */
  stop(): void;
}

/** A display fit for the stream. */
export function createProgress(stream: NodeJS.WriteStream = process.stdout): ProgressDisplay {
  return stream.isTTY ? terminalProgress(stream) : plainProgress(stream);
}

function terminalProgress(stream: NodeJS.WriteStream): ProgressDisplay {
  let latest: StepProgress;
  let bar: SingleBar | undefined;
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    step(progress) {
      latest = progress;
      if (bar === undefined) {
        bar = new SingleBar({
          format: () => barLine(latest, stream.columns || 80),
          stream,
          clearOnComplete: true,
          hideCursor: true,
          gracefulExit: false,
        });
        bar.start(progress.steps, 0);
      }
      bar.update(progress.step);
    },
    epoch(record, epochs, best) {
      stop();
      const line = epochLine(record, epochs, best);
      stream.write(`${best ? styleText('green', line, { stream }) : line}\n`);
    },
    stop,
  };
}

function plainProgress(stream: NodeJS.WriteStream): ProgressDisplay {
  let next = performance.now() + QUIET_SECONDS * 1000;
  return {
    step(progress) {
      const { epoch, epochs, step, steps, imagesPerSecond, secondsLeft, loss } = progress;
      if (performance.now() < next) return;
      next = performance.now() + QUIET_SECONDS * 1000;
      const parts = [
        `step ${step}/${steps}`,
        `${Math.round(imagesPerSecond)} images/s`,
        `${formatDuration(secondsLeft)} left`,
        `loss ${loss.toFixed(4)}`,
        ...figuresOf(progress, ' '),
      ];
      stream.write(`epoch ${epoch}/${epochs}: ${parts.join(', ')}\n`);
    },
    epoch(record, epochs, best) {
      stream.write(`${epochLine(record, epochs, best)}\n`);
    },
    stop() {},
  };
}

/** One line an epoch, like Keras'; the best one so far is marked. */
export function epochLine(record: EpochRecord, epochs: number, best = false): string {
  const parts = [
    `Epoch ${record.epoch}/${epochs}`,
    `${record.seconds.toFixed(1)}s`,
    `${Math.round(record.imagesPerSecond)} images/s`,
    `loss: ${record.loss.toFixed(4)}`,
    ...figuresOf(record, ': '),
  ];
  if (record.valLoss !== undefined) parts.push(`val_loss: ${record.valLoss.toFixed(4)}`);
  const { valAccuracy = Number.NaN, valMeanAbsoluteError: valError, valOutputs } = record;
  const checked = {
    ...{ loss: 0, accuracy: valAccuracy },
    ...(valError !== undefined && { meanAbsoluteError: valError }),
    ...(valOutputs && { outputs: valOutputs }),
  };
  parts.push(...figuresOf(checked, ': ').map((text) => `val_${text}`));
  if (record.skippedSteps) parts.push(`skipped steps: ${record.skippedSteps}`);
  return `${parts.join(' - ')}${best ? ' - best' : ''}`;
}

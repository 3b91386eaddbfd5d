/** Progress within an epoch: a bar in a terminal, a line every few seconds elsewhere. */
import { Presets, SingleBar } from 'cli-progress';
import type { EpochRecord, StepProgress } from '../../src/training/history.ts';

/** Seconds between two lines where there is no terminal. */
const QUIET_SECONDS = 10;

/** Shows steps and epochs on a stream. */
export interface ProgressDisplay {
  step(progress: StepProgress): void;
  epoch(record: EpochRecord, epochs: number): void;
  /** Clears what is unfinished. */
  stop(): void;
}

/** A display fit for the stream. */
export function createProgress(stream: NodeJS.WriteStream = process.stdout): ProgressDisplay {
  return stream.isTTY ? terminalProgress(stream) : plainProgress(stream);
}

function terminalProgress(stream: NodeJS.WriteStream): ProgressDisplay {
  const format =
    'epoch {epoch} {bar} {value}/{total} | {rate} images/s | {left} left | loss {loss} | accuracy {accuracy}';
  let bar: SingleBar | undefined;
  return {
    step(progress) {
      if (bar === undefined) {
        bar = new SingleBar(
          { format, stream, clearOnComplete: true, barsize: 24, hideCursor: true },
          Presets.shades_classic,
        );
        bar.start(progress.steps, 0, numbers(progress));
      }
      bar.update(progress.step, numbers(progress));
    },
    epoch(record, epochs) {
      bar?.stop();
      bar = undefined;
      stream.write(`${epochLine(record, epochs)}\n`);
    },
    stop() {
      bar?.stop();
      bar = undefined;
    },
  };
}

function plainProgress(stream: NodeJS.WriteStream): ProgressDisplay {
  let next = performance.now() + QUIET_SECONDS * 1000;
  return {
    step(progress) {
      if (performance.now() < next) return;
      next = performance.now() + QUIET_SECONDS * 1000;
      const { epoch, rate, left, loss, accuracy } = numbers(progress);
      stream.write(
        `epoch ${epoch}: step ${progress.step}/${progress.steps}, ${rate} images/s, ${left} left, loss ${loss}, accuracy ${accuracy}\n`,
      );
    },
    epoch(record, epochs) {
      stream.write(`${epochLine(record, epochs)}\n`);
    },
    stop() {},
  };
}

/** One line an epoch, like Keras'. */
export function epochLine(record: EpochRecord, epochs: number): string {
  const parts = [
    `Epoch ${record.epoch}/${epochs}`,
    `${record.seconds.toFixed(1)}s`,
    `${Math.round(record.imagesPerSecond)} images/s`,
    `loss: ${record.loss.toFixed(4)}`,
    `accuracy: ${record.accuracy.toFixed(4)}`,
  ];
  if (record.valLoss !== undefined) parts.push(`val_loss: ${record.valLoss.toFixed(4)}`);
  if (record.valAccuracy !== undefined) parts.push(`val_accuracy: ${record.valAccuracy.toFixed(4)}`);
  return parts.join(' - ');
}

/** Seconds as 0:42, 12:05 or 1:02:03. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = `${h > 0 ? String(m).padStart(2, '0') : m}:${String(s).padStart(2, '0')}`;
  return h > 0 ? `${h}:${tail}` : tail;
}

function numbers(progress: StepProgress) {
  return {
    epoch: `${progress.epoch}/${progress.epochs}`,
    rate: String(Math.round(progress.imagesPerSecond)),
    left: formatDuration(progress.secondsLeft),
    loss: progress.loss.toFixed(4),
    accuracy: progress.accuracy.toFixed(4),
  };
}

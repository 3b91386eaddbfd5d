/** The line of a running epoch, as wide as the terminal allows. */
import type { StepProgress } from '../../src/training/history.ts';
import { formatDuration } from './duration.ts';
import { figuresOf } from './figures.ts';

/** Characters of the bar itself, at most and at least. */
const [WIDEST, NARROWEST] = [30, 8];

/**
 * Epoch, bar, step, images/s, loss, accuracy, time left: all on one line of less than `columns` characters. Where there
 * is no room the bar gets shorter, then what matters least is left out.
 */
export function barLine(progress: StepProgress, columns: number): string {
  const { epoch, epochs, step, steps, loss, imagesPerSecond, secondsLeft } = progress;
  const [score, ...others] = figuresOf(progress, ' ');
  const left = step === steps ? 'validating' : `${formatDuration(secondsLeft)} left`;
  // From what is given up last to what is given up first.
  const parts: readonly (readonly [place: number, text: string])[] = [
    [0, `${epoch}/${epochs}`],
    [3, `loss ${loss.toFixed(4)}`],
    [5, left],
    ...(score === undefined ? [] : [[4, score] as const]),
    [1, `${step}/${steps}`],
    [2, `${Math.round(imagesPerSecond)} images/s`],
    ...others.map((text, i) => [4 + (i + 1) / (others.length + 1), text] as const),
  ];
  const room = Math.max(10, columns - 1);
  for (let kept = parts.length; kept > 0; kept--) {
    const texts = parts
      .slice(0, kept)
      .sort(([a], [b]) => a - b)
      .map(([, text]) => text);
    const [first, ...rest] = texts as [string, ...string[]];
    const width = texts.join('  ').length;
    const bar = Math.min(WIDEST, room - width - 2);
    if (bar >= NARROWEST) return [first, drawBar(step / steps, bar), ...rest].join('  ');
    if (kept <= 2 && width <= room) return texts.join('  ');
  }
  return `${epoch}/${epochs}`.slice(0, room);
}

function drawBar(share: number, width: number): string {
  const done = Math.round(share * width);
  return '█'.repeat(done) + '░'.repeat(width - done);
}

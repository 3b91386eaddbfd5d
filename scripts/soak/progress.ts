/** Shows how far a soak has come: a bar in a terminal, a line every ten seconds elsewhere. */
import { Presets, SingleBar } from 'cli-progress';
import { formatDuration } from '../training/duration.ts';
import type { Soak } from './soak.ts';
import type { SoakState } from './state.ts';

const QUIET_MS = 10_000;
const FORMAT = '{what} {bar} {value}/{total} | {rate} | {left} left | {failed} failed';

export interface SoakProgress {
  show(state: SoakState): void;
  /** Clears what is unfinished. */
  stop(): void;
}

/** A display for a run that brings `state` to `count` trials. */
export function soakProgress(
  soak: Soak,
  state: SoakState,
  count: number,
  stream: NodeJS.WriteStream = process.stdout,
): SoakProgress {
  const [before, begin] = [state.next, performance.now()];
  const numbers = (at: SoakState) => {
    const perSecond = ((at.next - before) / (performance.now() - begin)) * 1000;
    return {
      what: soak.name,
      rate: `${rateOf(perSecond)} ${soak.unit}/s`,
      left: perSecond > 0 ? formatDuration((count - at.next) / perSecond) : '?',
      failed: String(at.failed),
    };
  };
  if (!stream.isTTY) {
    let next = begin + QUIET_MS;
    return {
      show(at) {
        if (performance.now() < next) return;
        next = performance.now() + QUIET_MS;
        const { rate, left, failed } = numbers(at);
        stream.write(`${soak.name}: ${at.next}/${count}, ${rate}, ${left} left, ${failed} failed\n`);
      },
      stop() {},
    };
  }
  const settings = { format: FORMAT, stream, clearOnComplete: true, barsize: 24, hideCursor: true };
  const bar = new SingleBar(settings, Presets.shades_classic);
  bar.start(count, before, { what: soak.name, rate: '...', left: '...', failed: String(state.failed) });
  return {
    show: (at) => bar.update(at.next, numbers(at)),
    stop: () => bar.stop(),
  };
}

/** Three digits of a rate: 2150, 31.4, 0.25. */
function rateOf(perSecond: number): string {
  return perSecond >= 100 ? String(Math.round(perSecond)) : String(Number(perSecond.toPrecision(3)));
}

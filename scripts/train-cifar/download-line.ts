/** Shows what loading the data does: the download's progress, on one line in a terminal. */
import { Presets, SingleBar } from 'cli-progress';
import type { LoadProgress } from '../../src/data/cifar10.ts';

const MEGABYTE = 1e6;
const QUIET_SECONDS = 5;

/** A callback for `cifar10.load`. */
export function downloadLine(stream: NodeJS.WriteStream = process.stderr): (progress: LoadProgress) => void {
  let bar: SingleBar | undefined;
  let next = 0;
  return (progress) => {
    if (progress.stage !== 'download') {
      bar?.stop();
      bar = undefined;
      return;
    }
    const { receivedBytes, totalBytes, bytesPerSecond } = progress;
    const total = totalBytes ?? receivedBytes;
    const rate = (bytesPerSecond / MEGABYTE).toFixed(1);
    if (!stream.isTTY) {
      if (performance.now() < next) return;
      next = performance.now() + QUIET_SECONDS * 1000;
      const share = `${(receivedBytes / MEGABYTE).toFixed(0)} of ${(total / MEGABYTE).toFixed(0)} MB`;
      stream.write(`Downloading CIFAR-10: ${share}, ${rate} MB/s\n`);
      return;
    }
    if (bar === undefined) {
      const format = 'Downloading CIFAR-10 {bar} {percentage}% | {rate} MB/s | {eta_formatted} left';
      bar = new SingleBar(
        { format, stream, clearOnComplete: true, hideCursor: true },
        Presets.shades_classic,
      );
      bar.start(total, receivedBytes, { rate });
    }
    bar.update(receivedBytes, { rate });
  };
}

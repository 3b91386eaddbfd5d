/** Reads every picture of a data set once: what cannot be decoded is found, means are measured, the cache is filled. */
import { DataError, FaltungError } from '../../errors.ts';
import type { Dataset } from '../dataset.ts';
import { type ChannelSums, sumChannels } from '../normalization.ts';
import { inParallel } from './image-files.ts';

export interface ReadingOptions {
  /** Whether a picture that cannot be read is an error. Default false: it is left out and listed. */
  readonly strict?: boolean;
  /** Called as the pictures are read for the first time. */
  readonly onProgress?: (progress: { readonly read: number; readonly total: number }) => void;
}

/** A picture that was left out, and why. */
export interface Skipped {
  readonly file: string;
  readonly reason: string;
}

/** `sums`: of each picture of `files`; undefined for what cannot be read. Throws DataError with `strict`. */
export async function readAll(
  dataset: Dataset,
  files: readonly string[],
  { strict = false, onProgress }: ReadingOptions,
): Promise<{ readonly sums: readonly (ChannelSums | undefined)[]; readonly skipped: readonly Skipped[] }> {
  const sums = new Array<ChannelSums | undefined>(files.length).fill(undefined);
  const skipped: Skipped[] = [];
  const length = dataset.inputShape.reduce((product, size) => product * size, 1);
  let read = 0;
  await inParallel(files.length, async (index) => {
    const inputs = new Uint8Array(length);
    try {
      await dataset.read(Uint32Array.of(index), { inputs, targets: new Int32Array(1) });
      sums[index] = sumChannels(inputs, dataset.inputShape[2]!);
    } catch (error) {
      if (!(error instanceof FaltungError)) throw error;
      skipped.push({ file: files[index]!, reason: reasonOf(error) });
    }
    read += 1;
    onProgress?.({ read, total: files.length });
  });
  skipped.sort((a, b) => (a.file < b.file ? -1 : 1));
  if (strict && skipped.length > 0) throw unreadable(skipped);
  return { sums, skipped };
}

function reasonOf({ details: { expected, received } }: FaltungError): string {
  return `expected ${expected}, got ${received}`;
}

function unreadable(skipped: readonly Skipped[]): DataError {
  const shown = skipped.slice(0, 10).map(({ file, reason }) => `${file} (${reason})`);
  const more = skipped.length > shown.length ? `, and ${skipped.length - shown.length} more` : '';
  return new DataError({
    operation: 'imageFolder',
    argument: 'strict',
    expected: 'pictures that can all be read',
    received: `${skipped.length} that cannot: ${shown.join(', ')}${more}`,
  });
}

/** Shows how far the first reading of the images is, and which of them were left out. */

import type { Skipped } from '../../src/index.ts';
import { formatTable } from '../models/table.ts';

const QUIET_SECONDS = 10;
/** Images left out that are named; of others there is a count, and result.json has all. */
const MOST_NAMED = 20;

/** A callback for `imageFolder.load`: one line that changes in a terminal, a line now and then elsewhere. */
export function readingLine(
  stream: NodeJS.WriteStream = process.stderr,
): (progress: { readonly read: number; readonly total: number }) => void {
  let next = performance.now() + (stream.isTTY ? 0 : 1000 * QUIET_SECONDS);
  return ({ read, total }) => {
    const done = read === total;
    if (performance.now() < next && !(done && stream.isTTY)) return;
    next = performance.now() + (stream.isTTY ? 100 : 1000 * QUIET_SECONDS);
    const text = `Reading images: ${read} of ${total}`;
    if (!stream.isTTY) stream.write(`${text}\n`);
    else stream.write(done ? '\r\u001b[K' : `\r${text}`);
  };
}

/** A paragraph about what was left out; empty where that is nothing. */
export function skippedText(skipped: readonly Skipped[]): string {
  if (skipped.length === 0) return '';
  const rows = skipped.slice(0, MOST_NAMED).map(({ file, reason }) => [file, reason]);
  const more = skipped.length > rows.length ? `\n... and ${skipped.length - rows.length} more` : '';
  return `\n${formatTable(['left out', 'why'], rows)}${more}\n`;
}

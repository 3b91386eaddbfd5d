/**
 * Files stay small: the median TypeScript file has fewer than 150 lines, none more than 400. Generated and
 * data files are exempt: those whose first lines carry the word `@generated`, and test/fixtures.
 */
import type { Offence, SourceFile } from './offence.ts';

const MEDIAN_BELOW = 150;
const AT_MOST = 400;
const LINES_THAT_MAY_CARRY_THE_MARK = 5;

/** Offences: each file that is too long, and the median where it is. */
export function checkSizes(files: readonly SourceFile[]): Offence[] {
  const sizes = files
    .filter((file) => file.path.endsWith('.ts') && !isGenerated(file))
    .map(({ path, text }) => ({ path, lines: countLines(text) }))
    .sort((a, b) => a.lines - b.lines);
  const offences: Offence[] = sizes
    .filter(({ lines }) => lines > AT_MOST)
    .map(({ path, lines }) => ({ path, message: `${lines} lines, ${AT_MOST} at most` }));
  const median = sizes[Math.floor(sizes.length / 2)]?.lines ?? 0;
  if (median >= MEDIAN_BELOW) {
    const message = `the median of ${sizes.length} files is ${median} lines, it must stay below ${MEDIAN_BELOW}`;
    offences.push({ path: '.', message });
  }
  return offences;
}

function isGenerated({ path, text }: SourceFile): boolean {
  const head = text.split('\n', LINES_THAT_MAY_CARRY_THE_MARK).join('\n');
  return path.startsWith('test/fixtures/') || head.includes('@generated');
}

function countLines(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

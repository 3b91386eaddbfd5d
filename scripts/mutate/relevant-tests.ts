/** Which tests can notice a mistake in a file: those that reach it by imports, the nearest first. */
import path from 'node:path';
import { importsOf, isRelative, resolveImport } from '../check/imports.ts';
import type { SourceFile } from '../check/offence.ts';

/** Tests of commands and benchmarks start whole programs and say nothing about kernels and parsers. */
const ELSEWHERE = /^test\/(?:scripts|bench)\//;

/** The files that import each file. */
function importers(sources: readonly SourceFile[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { path: from, text } of sources) {
    for (const { specifier } of importsOf(text)) {
      if (!isRelative(specifier)) continue;
      const target = resolveImport(from, specifier);
      found.set(target, [...(found.get(target) ?? []), from]);
    }
  }
  return found;
}

/** How many imports lie between a file and each test that reaches it. */
function reachingTests(sources: readonly SourceFile[], file: string): Map<string, number> {
  const by = importers(sources);
  const distance = new Map([[file, 0]]);
  for (const at of distance.keys()) {
    for (const next of by.get(at) ?? []) {
      if (!distance.has(next)) distance.set(next, distance.get(at)! + 1);
    }
  }
  return new Map([...distance].filter(([at]) => at.endsWith('.test.ts') && !ELSEWHERE.test(at)));
}

/**
 * The tests for a file in the order in which they are tried: those whose name mirrors the file's, then by
 * imports between, then by name.
 */
export function relevantTests(sources: readonly SourceFile[], file: string): string[] {
  const reached = reachingTests(sources, file);
  const rank = (test: string) => [mirrors(file, test) ? 0 : 1, reached.get(test)!] as const;
  return [...reached.keys()].sort((a, b) => {
    const [one, other] = [rank(a), rank(b)];
    return one[0] - other[0] || one[1] - other[1] || (a < b ? -1 : 1);
  });
}

/** src/kernels/simd/conv2d-forward.ts is mirrored by test/kernels/conv2d.test.ts and test/kernels/simd/conv2d.test.ts. */
export function mirrors(file: string, test: string): boolean {
  const stem = path.posix.basename(file, '.ts');
  const tested = path.posix.basename(test, '.test.ts');
  const folder = path.posix.dirname(file).split('/')[1];
  if (path.posix.dirname(test).split('/')[1] !== folder) return false;
  return stem === tested || stem.startsWith(`${tested}-`) || tested.startsWith(`${stem}-`);
}

/**
 * Documents name only files that exist: whatever looks like a path from the repository's root in a Markdown file, and
 * every relative link. Capitals stand for a name of the reader's choice (`src/layers/NAME.ts`).
 */
import { posix } from 'node:path';
import { lineAt, type Offence, type SourceFile } from './offence.ts';

const PATH =
  /(?<![\w./-])(?:src|test|scripts|docs|bench|workers|examples)\/[\w./-]*[\w-]\.(?:ts|mjs|json|md|py|svg)\b/g;
const LINK = /\]\(([^)#\s]+)(?:#[^)]*)?\)/g;
const PLACEHOLDER = /(?:^|\/)[A-Z]+\.(?:test\.)?ts$/;

/** Offences: paths and relative links in .md files that lead to none of `files`, or to a folder without any. */
export function checkReferences(files: readonly SourceFile[]): Offence[] {
  const known = new Set(files.flatMap(({ path }) => [path, ...foldersAbove(path)]));
  return files.flatMap(({ path, text }) => {
    if (!path.endsWith('.md')) return [];
    const named = [...text.matchAll(PATH)].map(({ 0: target, index }) => ({ target, index }));
    const linked = [...text.matchAll(LINK)]
      .filter(([, target]) => !/^[a-z]+:/.test(target!))
      .map(({ 1: target, index }) => ({
        target: posix.join(posix.dirname(path), target!).replace(/\/$/, ''),
        index,
      }));
    return [...named, ...linked]
      .filter(({ target }) => !known.has(target) && !PLACEHOLDER.test(target))
      .map(({ target, index }) => ({
        path,
        line: lineAt(text, index),
        message: `names ${target}, which does not exist`,
      }));
  });
}

function foldersAbove(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'));
}

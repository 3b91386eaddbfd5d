/**
 * The imports of a TypeScript or JavaScript source: static, for effect, re-exports, dynamic `import()`
 * and `import('...')` types, each with a literal specifier. Every relative one must lead to a file.
 */
import { posix } from 'node:path';
import { blank } from './blank.ts';
import { lineAt, type Offence, type SourceFile } from './offence.ts';

/** One import and where its specifier stands. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Offset of the specifier's first character, after the quote. */
  readonly offset: number;
}

/** All imports in the order of the text. */
export function importsOf(text: string): Import[] {
  const code = blank(text);
  const imports: Import[] = [];
  for (const match of code.matchAll(/(?<![\w$.])(?:from|import(?:\s*\()?)\s*(['"`])/g)) {
    const offset = match.index + match[0].length;
    const end = code.indexOf(match[1]!, offset);
    if (end === -1) continue;
    imports.push({ specifier: text.slice(offset, end), line: lineAt(text, match.index), offset });
  }
  return imports;
}

/** Whether a specifier names a file by its place rather than a package. */
export function isRelative(specifier: string): boolean {
  return specifier.startsWith('./') || specifier.startsWith('../');
}

/** The path, from the repository's root, that a relative specifier in the file `from` means. */
export function resolveImport(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier);
}

/** Offences: relative imports of files that are not there. */
export function checkImports(files: readonly SourceFile[]): Offence[] {
  const known = new Set(files.map((file) => file.path));
  return files.flatMap(({ path, text }) =>
    importsOf(text)
      .filter(({ specifier }) => isRelative(specifier) && !known.has(resolveImport(path, specifier)))
      .map(({ specifier, line }) => ({
        path,
        line,
        message: `imports '${specifier}', which does not exist`,
      })),
  );
}

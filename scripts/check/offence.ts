/** What every check takes and gives: source files in, offences out. A check touches no disk. */

/** A file by its path from the repository's root, with `/` between folders. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** A place that breaks a rule. */
export interface Offence {
  readonly path: string;
  /** Counted from 1; absent where the whole file or tree is meant. */
  readonly line?: number;
  readonly message: string;
}

/** The line of an offset into a text, counted from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** `src/math/exp.ts:12  message`. */
export function formatOffence({ path, line, message }: Offence): string {
  return `${path}${line === undefined ? '' : `:${line}`}  ${message}`;
}

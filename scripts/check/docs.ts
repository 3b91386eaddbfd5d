/** docs/api says what the docstrings say: rendered anew, it is what is committed. */
import type { Offence, SourceFile } from './offence.ts';

const FOLDER = 'docs/api/';

/** Offences: pages that are missing, differ, or are not rendered any more. `pages`: by name, as they should be. */
export function checkDocs(files: readonly SourceFile[], pages: ReadonlyMap<string, string>): Offence[] {
  const committed = new Map(files.map(({ path, text }) => [path, text]));
  const wanted = [...pages].flatMap(([name, text]) =>
    committed.get(FOLDER + name) === text ? [] : [`${FOLDER}${name}`],
  );
  const stray = [...committed.keys()].filter(
    (path) => path.startsWith(FOLDER) && !pages.has(path.slice(FOLDER.length)),
  );
  return [...wanted, ...stray].map((path) => ({
    path,
    message: 'is not what the docstrings say; run "npm run docs"',
  }));
}

/**
 * Nothing in the repository may depend on whose machine it was written on: no path into somebody's home
 * folder, and no package host in the lock file, which would tie `npm ci` to one registry.
 */
import { lineAt, type Offence, type SourceFile } from './offence.ts';

// Written in parts so that this file does not offend against itself.
const HOME = new RegExp(
  `(?<![\\w.~-])/(?:${['home', 'Users'].join('|')})/\\w|(?<![\\w.~/-])/${'root'}/|[A-Z]:\\\\Users\\\\`,
  'g',
);
const RESOLVED = /"resolved": "https?:[^"]*"/g;

/** Offences: paths of one machine anywhere, hosts in package-lock.json. */
export function checkPlaces(files: readonly SourceFile[]): Offence[] {
  return files.flatMap(({ path, text }) => {
    const lock = path === 'package-lock.json' ? find(text, RESOLVED) : [];
    return [
      ...find(text, HOME).map((line) => ({ path, line, message: 'a path that exists on one machine only' })),
      ...lock.map((line) => ({
        path,
        line,
        message: 'names a package host; set omit-lockfile-registry-resolved',
      })),
    ];
  });
}

function find(text: string, pattern: RegExp): number[] {
  return [...text.matchAll(pattern)].map((match) => lineAt(text, match.index));
}

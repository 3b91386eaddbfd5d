/** The package.json of the published package, derived from the repository's own. */

/** The fields that matter here; others may stand beside them. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports?: unknown;
  readonly [field: string]: unknown;
}

/** What is carried over, where it is present. Development's dependencies, the pinned Node among them, are not. */
const CARRIED = [
  'name',
  'version',
  'description',
  'keywords',
  'license',
  'author',
  'repository',
  'homepage',
  'bugs',
  'type',
  'sideEffects',
  'engines',
  'dependencies',
  'peerDependencies',
  'peerDependenciesMeta',
];

/**
 * The manifest for dist/: the fields above, and `exports` with every `./src/NAME.ts` replaced by its
 * declarations and its JavaScript.
 */
export function publishedManifest(source: Manifest): Manifest {
  const carried = CARRIED.filter((field) => source[field] !== undefined).map((field) => [
    field,
    source[field],
  ]);
  const exports = Object.entries(source.exports as Record<string, string>).map(([name, target]) => {
    if (!/^\.\/.+\.ts$/.test(target)) return [name, target];
    const stem = target.slice(0, -'.ts'.length);
    return [name, { types: `${stem}.d.ts`, default: `${stem}.js` }];
  });
  return {
    ...(Object.fromEntries(carried) as Manifest),
    exports: { ...Object.fromEntries(exports), './package.json': './package.json' },
  };
}

/** The files that `exports` promises, conditions and subpaths flattened. */
export function exportTargets(exports: unknown): string[] {
  if (typeof exports === 'string') return [exports];
  return Object.values(exports as Record<string, unknown>).flatMap(exportTargets);
}

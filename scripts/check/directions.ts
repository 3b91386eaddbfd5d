/**
 * Dependencies point one way. The table says, for each folder, which other folders and which packages its
 * files may import directly; type-only imports count. Files of one folder may import each other, and
 * src/errors.ts and src/known-options.ts are open to all.
 */
import { importsOf, isRelative, resolveImport } from './imports.ts';
import type { Offence, SourceFile } from './offence.ts';

interface Rule {
  /** Folders of this table; `src/*` stands for all that begin with `src/`. */
  readonly folders: readonly string[];
  /** Package names; `node:*` stands for Node's own modules, `*` for everything. */
  readonly packages: readonly string[];
}

const pure = (...folders: string[]): Rule => ({ folders, packages: [] });
const onNode = (...folders: string[]): Rule => ({ folders, packages: ['node:*'] });
const outside = (...folders: string[]): Rule => ({ folders, packages: ['*'] });

const EVERYWHERE: readonly string[] = ['src/errors.ts', 'src/known-options.ts'];

/** A folder's rule covers its subfolders that have none of their own (src/kernels/simd has one). */
const RULES: Readonly<Record<string, Rule>> = {
  'src/errors.ts': pure(),
  'src/known-options.ts': pure(),
  'src/index.ts': pure('src/*'),
  'src/webassembly.d.ts': pure(),
  'src/math': pure(),
  'src/tensor': pure('src/math'),
  'src/kernels': pure('src/tensor', 'src/math'),
  'src/kernels/simd': pure('src/kernels', 'src/tensor', 'src/math'),
  'src/layers': pure('src/kernels', 'src/tensor', 'src/math'),
  'src/model': pure('src/layers', 'src/kernels', 'src/tensor', 'src/math'),
  'src/parallel': {
    folders: ['src/model', 'src/layers', 'src/kernels', 'src/kernels/simd', 'src/tensor'],
    packages: ['node:*', 'piscina'],
  },
  'src/data': onNode('src/kernels', 'src/tensor', 'src/math'),
  'src/data/images': { folders: ['src/data', 'src/math'], packages: ['node:*', 'sharp'] },
  'src/io': onNode('src/model', 'src/layers', 'src/tensor'),
  'src/training': onNode(
    'src/math',
    'src/tensor',
    'src/kernels',
    'src/kernels/simd',
    'src/layers',
    'src/model',
    'src/parallel',
    'src/data',
    'src/io',
  ),
  'src/zoo': pure('src/layers', 'src/model', 'src/io'),
  'src/report': {
    folders: [
      'src/training',
      'src/data',
      'src/data/images',
      'src/model',
      'src/layers',
      'src/tensor',
      'src/io',
    ],
    packages: ['node:*', 'vega', 'vega-lite', 'sharp'],
  },
  'src/ui': onNode('src/training', 'src/data', 'src/report'),
  // What runs in the browser.
  'src/ui/page': pure(),
  workers: {
    folders: ['src/parallel', 'src/kernels', 'src/kernels/simd'],
    packages: ['node:*', 'piscina'],
  },
  scripts: outside('src/*', 'scripts/soak', 'scripts/mutate'),
  // The trials of a soak are the suite's own checks.
  'scripts/soak': outside('src/*', 'scripts', 'test'),
  'scripts/mutate': outside('src/*', 'scripts', 'scripts/soak'),
  bench: outside('src/*', 'workers'),
  examples: outside('src/*'),
  test: outside('src/*', 'workers', 'scripts', 'scripts/soak', 'scripts/mutate', 'bench', 'examples'),
};

/** Offences: imports that the table does not allow, and files that no rule covers. */
export function checkDirections(files: readonly SourceFile[]): Offence[] {
  return files.flatMap((file) => {
    const folder = folderOf(file.path);
    if (folder === undefined) {
      return [{ path: file.path, message: 'no rule covers this folder; add one to check/directions.ts' }];
    }
    return importsOf(file.text).flatMap(({ specifier, line }) => {
      const message = objection(file.path, folder, specifier);
      return message === undefined ? [] : [{ path: file.path, line, message }];
    });
  });
}

/** The key of the rule with the longest match. */
function folderOf(path: string): string | undefined {
  return Object.keys(RULES)
    .filter((key) => path === key || path.startsWith(`${key}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** Why a file of `folder` may not import `specifier`; undefined where it may. */
function objection(path: string, folder: string, specifier: string): string | undefined {
  const rule = RULES[folder]!;
  if (!isRelative(specifier)) {
    const allowed = rule.packages.some(
      (name) => name === '*' || name === specifier || (name === 'node:*' && specifier.startsWith('node:')),
    );
    return allowed ? undefined : `${folder} may not import the package '${specifier}'`;
  }
  const target = resolveImport(path, specifier);
  const targetFolder = folderOf(target);
  if (targetFolder === undefined) return `'${specifier}' lies outside the source folders`;
  const allowed =
    targetFolder === folder ||
    EVERYWHERE.includes(targetFolder) ||
    rule.folders.some(
      (name) => name === targetFolder || (name === 'src/*' && targetFolder.startsWith('src/')),
    );
  return allowed ? undefined : `${folder} may not import from ${targetFolder}`;
}

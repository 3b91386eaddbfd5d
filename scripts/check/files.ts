/** Reads the repository's files for the checks; the only part of them that touches the disk. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceFile } from './offence.ts';

const SOURCE_FOLDERS = ['src', 'workers', 'scripts', 'test', 'bench', 'examples'];
const TEXT = /\.(?:ts|mjs|js|json|md|html|css|svg|ya?ml|txt|py)$|(?:^|\/)(?:LICENSE|run|\.gitignore)$/;

/** Documents link to them; they have no text. */
const PICTURE = /\.png$/;

/** All .ts and .mjs files of the source folders that exist, in a fixed order. */
export function readSources(root: string): SourceFile[] {
  const paths = SOURCE_FOLDERS.filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
      .filter((path) => /\.(?:ts|mjs)$/.test(path) && !path.includes('node_modules/')),
  );
  return paths.sort().map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** All text files and pictures that git tracks or would track; the sources alone where there is no git. */
export function readTracked(root: string): SourceFile[] {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const git = spawnSync('git', list, { cwd: root, encoding: 'utf8' });
  if (git.error !== undefined || git.status !== 0) return readSources(root);
  return git.stdout
    .split('\0')
    .filter((path) => (TEXT.test(path) || PICTURE.test(path)) && existsSync(join(root, path)))
    .map((path) => ({ path, text: PICTURE.test(path) ? '' : readFileSync(join(root, path), 'utf8') }));
}

/**
 * `npm run build`: compiles src and workers to JavaScript and declarations in dist/, laid out as they are
 * here (src/parallel finds workers/ by its place), with the package.json that is published. `npm run smoke`
 * then tries the result.
 */
import { copyFileSync, cpSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { publishedAmbient, rewriteDeclarations } from './build/declarations.ts';
import { exportTargets, type Manifest, publishedManifest } from './build/manifest.ts';
import { formatOffence } from './check/offence.ts';
import { runTool, typeOffences } from './check/tools.ts';

const COPIED = ['README.md', 'CHANGELOG.md', 'LICENSE'];
/** Found at run time, by src/parallel and src/ui, so that no import vouches for them. */
const FOUND_AT_RUN_TIME = ['./workers/worker.js', './src/ui/page/index.html'];
/** What the browser gets is not compiled. */
const PAGE = 'src/ui/page';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');

try {
  build();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function build(): void {
  rmSync(dist, { recursive: true, force: true });
  const errors = typeOffences(
    runTool(root, 'typescript', 'tsc', ['-p', 'tsconfig.build.json', '--pretty', 'false']),
  );
  if (errors.length > 0)
    throw new Error(`build: the compiler refuses\n${errors.map(formatOffence).join('\n')}`);

  cpSync(join(root, PAGE), join(dist, PAGE), { recursive: true });
  finishDeclarations();
  const manifest = publishedManifest(
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest,
  );
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const name of COPIED) copyFileSync(join(root, name), join(dist, name));

  const missing = [...exportTargets(manifest.exports), ...FOUND_AT_RUN_TIME].filter(
    (path) => !existsSync(join(dist, path)),
  );
  if (missing.length > 0) throw new Error(`build: dist/ lacks ${missing.join(', ')}`);
  console.log(
    `dist/ holds ${manifest.name} ${manifest.version}, ${globSync('**/*.js', { cwd: dist }).length} modules`,
  );
}

/** Rewrites the imports in all declarations, and adds the ambient ones to those of the entry point. */
function finishDeclarations(): void {
  for (const path of globSync('**/*.d.ts', { cwd: dist })) {
    const file = join(dist, path);
    writeFileSync(file, rewriteDeclarations(readFileSync(file, 'utf8')));
  }
  const entry = join(dist, 'src/index.d.ts');
  for (const path of globSync('*.d.ts', { cwd: join(root, 'src') })) {
    const text = readFileSync(join(root, 'src', path), 'utf8');
    writeFileSync(join(dist, 'src', path), publishedAmbient(text));
    writeFileSync(entry, `/// <reference path="./${path}" />\n${readFileSync(entry, 'utf8')}`);
  }
}

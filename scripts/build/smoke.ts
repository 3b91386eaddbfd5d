/**
 * `npm run smoke`, after `npm run build`: packs dist/ as npm would publish it, unpacks it beside its
 * dependencies in a temporary folder, checks consumer.mjs against its declarations, and runs it on the
 * system's own Node (the first on the PATH that is not the pinned one; the pinned one where there is none).
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { formatOffence } from '../check/offence.ts';
import { runTool, typeOffences } from '../check/tools.ts';
import { systemNode } from './system-node.ts';

const root = resolve(import.meta.dirname, '../..');
const dist = join(root, 'dist');
const SECONDS_TO_TRAIN = 120;
const PUBLISHED =
  /(?:\.js|\.d\.ts|^src\/ui\/page\/\w+\.(?:mjs|css|html)|^package\.json|^README\.md|^CHANGELOG\.md|^LICENSE)$/;

if (existsSync(join(dist, 'package.json'))) {
  const folder = mkdtempSync(join(tmpdir(), 'faltung-smoke-'));
  try {
    smoke(folder);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
} else {
  console.error('smoke: dist/ is not there; run "npm run build" first');
  process.exitCode = 1;
}

function smoke(folder: string): void {
  install(folder);
  copyFileSync(join(import.meta.dirname, 'consumer.mjs'), join(folder, 'consumer.mjs'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }\n');
  checkDeclarations(folder);

  const node = systemNode(process.env.PATH ?? '') ?? process.execPath;
  const options = { cwd: folder, stdio: 'inherit', timeout: SECONDS_TO_TRAIN * 1000 } as const;
  const { status, signal } = spawnSync(node, ['consumer.mjs'], options);
  if (status !== 0)
    throw new Error(`smoke: consumer.mjs failed on ${node} (${signal ?? `exit code ${status}`})`);
}

/** Packs dist/ and unpacks it into the folder's node_modules; links its dependencies there from ours. */
function install(folder: string): void {
  const packed = run('npm', ['pack', '--json', '--pack-destination', folder], dist);
  const [{ filename, files }] = JSON.parse(packed) as [{ filename: string; files: { path: string }[] }];
  const stray = files.map(({ path }) => path).filter((path) => !PUBLISHED.test(path));
  if (stray.length > 0) throw new Error(`smoke: the package holds ${stray.join(', ')}`);

  const place = join(folder, 'node_modules', 'faltung');
  mkdirSync(place, { recursive: true });
  run('tar', ['-xzf', filename, '-C', place, '--strip-components=1'], folder);
  const { dependencies } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'));
  for (const name of [...Object.keys(dependencies ?? {}), '@types/node', 'uplot']) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link, 'junction');
  }
}

/** A TypeScript user's view, dependencies' declarations included: in a project with the DOM's types and without. */
function checkDeclarations(folder: string): void {
  const types = ['--types', 'node', '--typeRoots', join(folder, 'node_modules/@types')];
  const options = [
    '--strict',
    '--noEmit',
    '--allowJs',
    '--module',
    'nodenext',
    '--target',
    'es2022',
    ...types,
  ];
  for (const libraries of ['es2023', 'es2023,dom']) {
    const result = runTool(root, 'typescript', 'tsc', [
      ...['--ignoreConfig', '--pretty', 'false', '--lib', libraries],
      ...options,
      join(folder, 'consumer.mjs'),
    ]);
    const offences = typeOffences(result).map(formatOffence);
    if (offences.length > 0) throw new Error(`smoke: declarations, lib ${libraries}\n${offences.join('\n')}`);
  }
}

/** Runs a command to its end and returns what it printed. */
function run(command: string, args: readonly string[], cwd: string): string {
  const shell = process.platform === 'win32' && command === 'npm';
  const result = spawnSync(command, args, {
    cwd,
    shell,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(`smoke: ${command} ${args[0]} failed: ${result.stderr.trim()}`);
  return result.stdout;
}

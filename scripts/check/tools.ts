/** The two checks that other programs do: the compiler's types, Biome's format and lint. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { formatOffence, type Offence } from './offence.ts';

/**
 * Types: all sources, and once more what is published, under its own settings (older libraries, every exported
 * type nameable in a declaration).
 */
export function checkTypes(root: string): Offence[] {
  const offences = ['tsconfig.json', 'tsconfig.build.json'].flatMap((config) =>
    typeOffences(runTool(root, 'typescript', 'tsc', ['-p', config, '--noEmit', '--pretty', 'false'])),
  );
  const texts = offences.map(formatOffence);
  return offences.filter((_, i) => texts.indexOf(texts[i]!) === i);
}

/** Format and lint: `biome check` in `root`, which changes nothing; warnings count. */
export function checkLint(root: string): Offence[] {
  const options = [
    'check',
    '--error-on-warnings',
    '--max-diagnostics=200',
    '--colors=off',
    '--reporter=github',
  ];
  return lintOffences(runTool(root, '@biomejs/biome', 'biome', options), root);
}

/** What a program printed, and whether it was content. */
export interface ToolResult {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an installed package's command on this Node; throws an Error of one line where it is not installed. */
export function runTool(root: string, name: string, command: string, args: readonly string[]): ToolResult {
  const folder = join(root, 'node_modules', name);
  if (!existsSync(folder)) throw new Error(`${name} is not installed: run "npm ci"`);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const result = spawnSync(process.execPath, [join(folder, bin[command]), ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (result.error !== undefined) throw result.error;
  return { ok: result.status === 0, stdout: result.stdout, stderr: result.stderr };
}

/** Reads the compiler's `path(line,column): error TS1234: message`; further lines belong to the message. */
export function typeOffences({ ok, stdout, stderr }: ToolResult): Offence[] {
  if (ok) return [];
  const offences: Offence[] = [];
  for (const text of `${stdout}\n${stderr}`.split('\n')) {
    const [, path, line, message] = /^(.+?)\((\d+),\d+\): (.*)$/.exec(text) ?? [];
    if (path !== undefined) offences.push({ path, line: Number(line), message: message! });
    else if (/^error /.test(text)) offences.push({ path: 'tsconfig.json', message: text });
  }
  return offences.length > 0 ? offences : [unreadable('tsc', stdout + stderr)];
}

/** Reads Biome's lines `::error title=RULE,file=/absolute/path,line=3,...::message`. */
export function lintOffences({ ok, stdout, stderr }: ToolResult, root: string): Offence[] {
  if (ok) return [];
  const offences: Offence[] = [];
  for (const text of stdout.split('\n')) {
    const [, rule, file, line, message] =
      /^::(?:error|warning) title=(.*?),file=(.*?),line=(\d+),.*?::(.*)$/.exec(text) ?? [];
    if (file === undefined) continue;
    const path = relative(root, file).replaceAll('\\', '/');
    const said = rule === 'format' ? 'not formatted; run "npm run format"' : `${rule}: ${message}`;
    offences.push({ path, line: Number(line), message: said });
  }
  return offences.length > 0 ? offences : [unreadable('biome', stdout + stderr)];
}

/** The tool failed without a diagnostic that could be read: pass on the end of what it said. */
function unreadable(tool: string, output: string): Offence {
  return { path: '.', message: `${tool} failed: ${output.trim().slice(-500) || 'it printed nothing'}` };
}

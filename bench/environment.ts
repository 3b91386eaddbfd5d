/** Where figures come from: machine, versions, date. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { canCompileWide } from '../src/parallel/compile.ts';

export interface Environment {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  /** 'linux x64'. */
  readonly platform: string;
  readonly node: string;
  readonly v8: string;
  readonly faltung: string;
  /** Commit of the sources; '+' where files differ from it, '' outside of git. */
  readonly commit: string;
  /** Whether 256-bit code can be compiled. */
  readonly wide: boolean;
}

export function describeEnvironment(now: Date = new Date()): Environment {
  const processors = cpus();
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return {
    date: now.toISOString(),
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    v8: process.versions.v8,
    faltung: manifest.version,
    commit: commitOfSources(),
    wide: canCompileWide(),
  };
}

/** Two lines for people. */
export function formatEnvironment(e: Environment): string {
  const memory = `${Math.round(e.memoryBytes / 2 ** 30)} GiB`;
  const commit = e.commit === '' ? '' : ` (${e.commit})`;
  return `${e.cpu}, ${e.cores} cores, ${memory}, ${e.platform}
Faltung ${e.faltung}${commit}, Node ${e.node}, V8 ${e.v8}, ${e.wide ? '256' : '128'}-bit code, ${e.date}`;
}

function commitOfSources(): string {
  const git = (...args: string[]) =>
    spawnSync('git', args, { cwd: new URL('..', import.meta.url), encoding: 'utf8' });
  const { status, stdout } = git('rev-parse', '--short', 'HEAD');
  if (status !== 0) return '';
  const changed = git('status', '--porcelain', '--', 'src', 'workers').stdout !== '';
  return `${stdout.trim()}${changed ? '+' : ''}`;
}

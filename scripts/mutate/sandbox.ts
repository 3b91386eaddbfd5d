/**
 * A copy of the repository in which one file at a time is made wrong, and tests run there, one after the other,
 * until one fails. The repository itself is never touched.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const COPIED = ['src', 'test', 'workers', 'scripts', 'bench', 'examples', 'package.json', 'tsconfig.json'];

/** How a test file ended. */
export type Verdict = 'passed' | 'failed' | 'timeout' | 'interrupted';

export interface TestRun {
  readonly verdict: Verdict;
  readonly seconds: number;
  /** The first line of the test that failed. */
  readonly failure: string | undefined;
}

export interface Sandbox {
  readonly root: string;
  /** Runs one test file; it is ended at its first failing test, or after `limitSeconds`. */
  run(test: string, limitSeconds: number): Promise<TestRun>;
  /** Puts a text in the place of a file's, for the time of `work`. */
  withFile<T>(file: string, text: string, work: () => Promise<T>): Promise<T>;
  /** Ends the test that runs. */
  interrupt(): void;
  close(): void;
}

export function openSandbox(repository: string): Sandbox {
  const root = mkdtempSync(path.join(tmpdir(), 'faltung-mutate-'));
  const temporary = path.join(root, 'tmp');
  for (const name of COPIED) {
    const from = path.join(repository, name);
    if (existsSync(from)) cpSync(from, path.join(root, name), { recursive: true, filter: isCopied });
  }
  symlinkSync(path.join(repository, 'node_modules'), path.join(root, 'node_modules'));
  let child: ChildProcess | undefined;
  let interrupted = false;
  return {
    root,
    async run(test, limitSeconds) {
      mkdirSync(temporary, { recursive: true });
      const begin = performance.now();
      child = startTest(root, test, temporary);
      const run = await ended(child, limitSeconds);
      child = undefined;
      // Tests that were ended in the middle leave their files.
      rmSync(temporary, { recursive: true, force: true });
      const seconds = (performance.now() - begin) / 1000;
      return interrupted ? { verdict: 'interrupted', seconds, failure: undefined } : { ...run, seconds };
    },
    async withFile(file, text, work) {
      const target = path.join(root, file);
      const original = readFileSync(target);
      writeFileSync(target, text);
      try {
        return await work();
      } finally {
        writeFileSync(target, original);
      }
    },
    interrupt() {
      interrupted = true;
      if (child !== undefined) end(child);
    },
    close: () => rmSync(root, { recursive: true, force: true }),
  };
}

function isCopied(from: string): boolean {
  return path.basename(from) !== 'node_modules';
}

/** A process group of its own, so that what a test starts ends with it. */
function startTest(cwd: string, test: string, temporary: string): ChildProcess {
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  return spawn(process.execPath, ['--test-reporter=tap', test], {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, TMPDIR: temporary, NODE_COMPILE_CACHE: path.join(cwd, 'cache') },
  });
}

function end(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {}
}

function ended(child: ChildProcess, limitSeconds: number): Promise<Pick<TestRun, 'verdict' | 'failure'>> {
  return new Promise((resolve) => {
    let [text, errors] = ['', ''];
    let failure: string | undefined;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      end(child);
    }, limitSeconds * 1000);
    child.stdout!.setEncoding('utf8').on('data', (chunk) => {
      text = (text + chunk).slice(-10_000);
      failure ??= /^\s*not ok \d+ - (.*)$/m.exec(text)?.[1];
      if (failure !== undefined) end(child);
    });
    child.stderr!.setEncoding('utf8').on('data', (chunk) => {
      errors = (errors + chunk).slice(-2000);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      if (failure !== undefined) resolve({ verdict: 'failed', failure });
      else if (late) resolve({ verdict: 'timeout', failure });
      else if (code === 0) resolve({ verdict: 'passed', failure });
      else resolve({ verdict: 'failed', failure: errors.trim().split('\n').at(-1) ?? `exit code ${code}` });
    });
  });
}

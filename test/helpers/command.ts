/** Runs the scripts in processes, away from the data and caches of whoever runs the tests. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './temporary.ts';

const SCRIPTS = fileURLToPath(new URL('../../scripts/', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command under way. */
export interface Running {
  readonly ended: Promise<Ended>;
  /** Resolves when the standard output so far matches, with the match. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves when the standard error so far matches, with the match. */
  complained(pattern: RegExp): Promise<RegExpExecArray>;
  /** SIGINT. */
  interrupt(): void;
  /** SIGTERM. */
  terminate(): void;
  /** kill -9. */
  kill(): void;
}

/** Starts train:cifar. */
export function startTraining(args: readonly string[], nodeArgs: readonly string[] = []): Running {
  return startScript('train-cifar.ts', args, nodeArgs);
}

/** Starts a script in an empty folder, where no network can be reached. */
export function startScript(
  name: string,
  args: readonly string[],
  nodeArgs: readonly string[] = [],
): Running {
  const home = temporaryFolder();
  const { CIFAR10_DIR: _, NODE_OPTIONS: __, FORCE_COLOR: ___, ...inherited } = process.env;
  const env = {
    ...inherited,
    HOME: home,
    XDG_CACHE_HOME: path.join(home, 'cache'),
    FALTUNG_CIFAR10_URL: 'http://127.0.0.1:9/cifar-10-binary.tar.gz',
  };
  const command = [...nodeArgs, path.join(SCRIPTS, name), ...args];
  const child = spawn(process.execPath, command, { cwd: home, env, timeout: 60_000 });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  const seen = (stream: NodeJS.ReadableStream, text: () => string) => (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(text());
        if (found !== null) resolve(found);
      };
      stream.on('data', look);
      child.on('close', () => reject(new Error(`ended without ${pattern}: ${stdout}${stderr}`)));
      look();
    });
  return {
    ended,
    printed: seen(child.stdout, () => stdout),
    complained: seen(child.stderr, () => stderr),
    interrupt: () => child.kill('SIGINT'),
    terminate: () => child.kill('SIGTERM'),
    kill: () => child.kill('SIGKILL'),
  };
}

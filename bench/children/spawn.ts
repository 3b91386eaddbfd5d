/** Runs a measurement in a process of its own: nothing of the others' heaps, code and threads is in it. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What stands in front of every npm script: processes start as a user's do, with the code cache of earlier starts. */
const LAUNCHER = fileURLToPath(new URL('../../scripts/require-node.mjs', import.meta.url));

/** The system's clock in milliseconds, finer than Date.now(): two processes can compare theirs. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * Runs `script` (a file beside this one) with a request as JSON, and `spawnedAt` added to it; returns what it
 * prints as JSON on its last line. Throws an Error with the end of what the process said where it fails.
 */
export async function runChild<R>(script: string, request: object): Promise<R> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const text = JSON.stringify({ ...request, spawnedAt: clock() });
  return runJson<R>(process.execPath, ['--expose-gc', LAUNCHER, file, text]);
}

/** Runs a command and parses the last line it prints. */
export async function runJson<R>(
  command: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<R> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors = `${errors}${text}`.slice(-2000);
  });
  const code = await new Promise<number | string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve(status ?? signal ?? 'unknown'));
  });
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  if (code !== 0 || last === '') {
    throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${errors.trim() || last}`);
  }
  return JSON.parse(last) as R;
}

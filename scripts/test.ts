/**
 * `npm test`: all tests, or those whose files and options of `node --test` follow `--`.
 *
 * Files run as many at a time as there are processors: Node's own default leaves one idle, which on two processors
 * means one file at a time. All processes share a cache of stripped and compiled code, the tests' workers and
 * commands too: it saves a quarter of the suite's processor time (measured).
 */
import { spawn } from 'node:child_process';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';

const args = process.argv.slice(2);
const isFile = (argument: string) => argument.endsWith('.ts');
const child = spawn(
  process.execPath,
  [
    '--test',
    `--test-concurrency=${availableParallelism()}`,
    ...args,
    ...(args.some(isFile) ? [] : ['test/**/*.test.ts']),
  ],
  {
    stdio: 'inherit',
    env: { NODE_COMPILE_CACHE: path.join(tmpdir(), 'node-compile-cache'), ...process.env },
  },
);
// Ctrl-C reaches both processes; what is sent to this one alone is handed on.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill());
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});

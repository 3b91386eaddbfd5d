/**
 * Each kernel of the notebook network's training program (batch 32) by itself, operands as warm as they get: time,
 * operations and bytes a second. Around it the kinds that other options bring in: SGD, the notebook's own
 * normalisation, the softmax of predictions.
 */

import { sgd } from '../../src/training/optimizers.ts';
import { bytesOf, describeShapes, flopsOf, isContraction, type Work, workOf } from '../kernel-work.ts';
import type { TileKernel } from '../micro-kernel.ts';
import { type NotebookOptions, notebookCalls, type StepCall } from '../notebook-program.ts';
import type { Code } from '../sandbox.ts';
import type { Context, Suite } from '../suite.ts';
import { digits, formatTable, percent } from '../table.ts';
import { timeTasks } from '../timing.ts';

export interface KernelRow {
  readonly work: Work;
  readonly kind: string;
  readonly shapes: string;
  readonly code: Code;
  /** Of the one call that was timed. */
  readonly microseconds: number;
  readonly flops: number;
  /** Every operand once. */
  readonly bytes: number;
  /** Convolutions counted as direct ones; 0 for kernels without arithmetic to count. */
  readonly gflops: number;
  readonly gigabytesPerSecond: number;
  /** The micro-kernel's rate in the same rounds. */
  readonly yardstickGflops: number;
}

const BATCH = 32;

/** Programs, and the kinds taken from each; undefined: all. */
const PROGRAMS: readonly (readonly [NotebookOptions, string | undefined])[] = [
  [{ mode: 'train', batchSize: BATCH }, undefined],
  [{ mode: 'train', batchSize: BATCH, optimizer: sgd({ momentum: 0.9, nesterov: true }) }, 'sgd'],
  [{ mode: 'train', batchSize: BATCH, normalization: 'l2Rows' }, 'normalizePixels'],
  [{ mode: 'predict', batchSize: BATCH }, 'softmaxForward'],
];

async function run(context: Context): Promise<KernelRow[]> {
  const rows: KernelRow[] = [];
  for (const [options, kind] of PROGRAMS) {
    const calls = await notebookCalls(options);
    for (const call of calls) call.run();
    const subjects = largestCalls(calls).filter(({ spec }) => kind === undefined || spec.kind === kind);
    for (const call of subjects) {
      context.progress(`${call.spec.kind} ${describeShapes(call)}`);
      rows.push(measure(call, context.yardstick(), context));
    }
  }
  return rows;
}

/** The call of each kernel that has most to do. */
function largestCalls(calls: readonly StepCall[]): StepCall[] {
  const largest = new Map<string, StepCall>();
  for (const call of calls) {
    const key = `${call.kernel} ${workOf(call)}`;
    const known = largest.get(key);
    if (known === undefined || bytesOf(call) > bytesOf(known)) largest.set(key, call);
  }
  return [...largest.values()];
}

function measure(call: StepCall, tile: TileKernel, { effort }: Context): KernelRow {
  const times = repetitions(call);
  const kernel = () => {
    for (let i = 0; i < times; i++) call.run();
  };
  const timings = timeTasks({ yardstick: tile.run, kernel }, effort);
  const seconds = timings.get('kernel')!.seconds / times;
  const [flops, bytes] = [flopsOf(call), bytesOf(call)];
  return {
    work: workOf(call),
    kind: call.spec.kind,
    shapes: describeShapes(call),
    code: call.code,
    microseconds: seconds * 1e6,
    flops,
    bytes,
    gflops: flops / seconds / 1e9,
    gigabytesPerSecond: bytes / seconds / 1e9,
    yardstickGflops: tile.flops / timings.get('yardstick')!.seconds / 1e9,
  };
}

/** Calls a run: as many as take about 50 microseconds, so that the clock's own cost does not count. */
function repetitions(call: StepCall): number {
  const started = performance.now();
  const trials = 20;
  for (let i = 0; i < trials; i++) call.run();
  const milliseconds = (performance.now() - started) / trials;
  return Math.max(1, Math.min(1000, Math.round(0.05 / milliseconds)));
}

function format(rows: readonly KernelRow[]): string {
  return formatTable<KernelRow>(
    [
      { title: 'kernel', text: ({ kind }) => kind, align: 'left' },
      { title: 'shapes', text: ({ shapes }) => shapes, align: 'left' },
      { title: 'us', text: ({ microseconds }) => digits(microseconds) },
      { title: 'GFLOP/s', text: ({ gflops }) => (gflops === 0 ? '-' : digits(gflops)) },
      {
        title: 'of micro-kernel',
        text: ({ gflops, yardstickGflops }) => (gflops === 0 ? '-' : percent(gflops / yardstickGflops)),
      },
      { title: 'GB/s', text: ({ gigabytesPerSecond }) => digits(gigabytesPerSecond) },
      { title: 'code', text: ({ code }) => code },
    ],
    [...rows].sort((a, b) => Number(isContraction(b.work)) - Number(isContraction(a.work))),
  );
}

export const kernels: Suite<readonly KernelRow[]> = {
  name: 'kernels',
  title: "The notebook network's kernels one by one (batch 32, a shard's call, one core)",
  run,
  format,
};

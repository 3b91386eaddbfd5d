/**
 * Where the time of a training step goes: the notebook network's program, all its calls in order, on the main
 * thread alone, with augmentation and Adam. The share of each kind of work is that of the calls' own times.
 */
import { families } from '../../src/kernels/index.ts';
import { flopsOf, isContraction, WORKS, type Work, workOf } from '../kernel-work.ts';
import { notebookCalls, type StepCall } from '../notebook-program.ts';
import { median } from '../statistics.ts';
import type { Context, Suite } from '../suite.ts';
import { digits, formatTable, percent } from '../table.ts';

export interface StepRow {
  readonly work: Work;
  /** Kinds of kernels that do it. */
  readonly kinds: readonly string[];
  readonly calls: number;
  readonly milliseconds: number;
  /** Of the step. */
  readonly share: number;
  /** Convolutions counted as direct ones. */
  readonly gflops: number;
}

export interface StepResult {
  readonly batchSize: number;
  /** Sum of all calls. */
  readonly milliseconds: number;
  readonly imagesPerSecond: number;
  /** Share of all work that is neither convolution nor dense. */
  readonly otherShare: number;
  readonly rows: readonly StepRow[];
}

const BATCHES = [32, 128] as const;
const STEPS = { quick: 3, full: 25 } as const;
const WARM_STEPS = 3;

async function run({ settings, progress }: Context): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const batchSize of BATCHES) {
    progress(`batch ${batchSize}`);
    const calls = await notebookCalls({ mode: 'train', batchSize });
    results.push(measure(calls, batchSize, STEPS[settings.quick ? 'quick' : 'full']));
  }
  return results;
}

function measure(all: readonly StepCall[], batchSize: number, steps: number): StepResult {
  // The first phase prepares weights that were set from outside: a step of its own does that at its end.
  for (const call of all) call.run();
  const first = all.findIndex(({ phase }) => phase !== all[0]!.phase);
  const calls = all.slice(first);
  const times = calls.map((): number[] => []);
  for (let step = 0; step < WARM_STEPS + steps; step++) {
    calls.forEach((call, i) => {
      const started = performance.now();
      call.run();
      if (step >= WARM_STEPS) times[i]!.push(performance.now() - started);
    });
  }
  const medians = times.map(median);
  const milliseconds = medians.reduce((sum, value) => sum + value, 0);
  const rows = WORKS.map((work) => rowOf(work, calls, medians, milliseconds)).filter((row) => row.calls > 0);
  const other = rows.filter(({ work }) => !isContraction(work));
  return {
    batchSize,
    milliseconds,
    imagesPerSecond: (1000 * batchSize) / milliseconds,
    otherShare: other.reduce((sum, { share }) => sum + share, 0),
    rows,
  };
}

function rowOf(work: Work, calls: readonly StepCall[], medians: readonly number[], total: number): StepRow {
  const mine = calls.map((_, i) => i).filter((i) => workOf(calls[i]!) === work);
  const sum = (of: (i: number) => number) => mine.reduce((all, i) => all + of(i), 0);
  const milliseconds = sum((i) => medians[i]!);
  return {
    work,
    kinds: Object.keys(families).filter((kind) => mine.some((i) => calls[i]!.spec.kind === kind)),
    calls: mine.length,
    milliseconds,
    share: milliseconds / total,
    gflops: sum((i) => flopsOf(calls[i]!)) / milliseconds / 1e6,
  };
}

function format(results: readonly StepResult[]): string {
  return results.map(formatBatch).join('\n\n');
}

function formatBatch({ batchSize, milliseconds, imagesPerSecond, otherShare, rows }: StepResult): string {
  const table = formatTable<StepRow>(
    [
      { title: `batch ${batchSize}`, text: ({ work }) => work, align: 'left' },
      { title: 'calls', text: ({ calls }) => String(calls) },
      { title: 'ms', text: (row) => digits(row.milliseconds) },
      { title: 'share', text: ({ share }) => percent(share, 1) },
      { title: 'GFLOP/s', text: ({ gflops }) => (gflops === 0 ? '-' : digits(gflops)) },
    ],
    rows,
  );
  const rate = `${digits(milliseconds)} ms a step, ${digits(imagesPerSecond)} images/s`;
  return `${table}\n${rate}; neither convolution nor dense: ${percent(otherShare, 1)}`;
}

export const step: Suite<readonly StepResult[]> = {
  name: 'step',
  title: 'A training step of the notebook network by kinds of work (one core, no workers)',
  run,
  format,
};

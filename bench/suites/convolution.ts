/**
 * Every class of convolution, pass and algorithm: the rate counted as direct convolution, against the
 * micro-kernel timed in the same rounds and against the direct kernel, and the error against f64.
 */
import { normal, streamKey } from '../../src/math/random.ts';
import { convGeometry, multiplyAdds } from '../../src/tensor/convolution.ts';
import { CONV_CLASSES, type ConvClass } from '../conv-classes.ts';
import {
  algorithmsFor,
  CONV_PASSES,
  type ConvAlgorithm,
  type ConvKernel,
  type ConvPass,
  convKernel,
  convViews,
} from '../conv-kernels.ts';
import { type ConvArrays, relativeError } from '../conv-reference.ts';
import { type Code, createSandbox, readImages, type Sandbox, writeImages } from '../sandbox.ts';
import type { Context, Suite } from '../suite.ts';
import { digits, formatTable, percent, times } from '../table.ts';
import { timeTasks } from '../timing.ts';

export interface ConvolutionRow {
  readonly class: string;
  readonly pass: ConvPass;
  readonly algorithm: ConvAlgorithm;
  readonly code: Code;
  readonly samples: number;
  readonly microseconds: number;
  /** Multiplications and additions of direct convolution, padded taps included, in 10^9 a second. */
  readonly gflops: number;
  /** The micro-kernel's rate in the same rounds. */
  readonly yardstickGflops: number;
  /** gflops / yardstickGflops. */
  readonly ratioToYardstick: number;
  /** To the direct kernel of the same pass. */
  readonly speedup: number;
  /** |result - f64 reference| / |f64 reference|, on normal deviates. */
  readonly relativeError: number;
}

/** Elements of a result that are compared with the reference. */
const COMPARED = 4000;

function run(context: Context): ConvolutionRow[] {
  return CONV_CLASSES.flatMap((subject, i) => {
    context.progress(`${subject.name} (${i + 1} of ${CONV_CLASSES.length})`);
    return measureClass(subject, context);
  });
}

function measureClass(subject: ConvClass, { effort, yardstick }: Context): ConvolutionRow[] {
  const g = convGeometry(subject.name, subject.inputShape, subject.options);
  const { samples } = subject;
  const kernels = CONV_PASSES.flatMap((pass) =>
    algorithmsFor(g).map((algorithm) => convKernel(g, pass, algorithm)),
  );
  const specs = kernels.flatMap(({ spec, prepare }) => (prepare ? [spec, prepare] : [spec]));
  const sandbox = createSandbox(specs, samples);
  const arrays: ConvArrays = {
    count: samples,
    input: deviates('input', samples * g.inHeight * g.inWidth * g.inChannels),
    weight: deviates('weight', (g.kernelHeight * g.kernelWidth * g.inChannels * g.outChannels) / g.groups),
    gradOutput: deviates('gradOutput', samples * g.outHeight * g.outWidth * g.outChannels),
  };
  const views = convViews(g);
  const viewOf = { input: views.input, gradOutput: views.output };
  const runs = kernels.map((kernel) => {
    const bound = find(sandbox, kernel);
    for (const { argument, is } of kernel.sources) {
      writeImages(sandbox.heap.f32, bound.origin(argument), viewOf[is], arrays[is]);
    }
    prepareWeights(sandbox, kernel, arrays.weight);
    return bound;
  });
  const errors = kernels.map((kernel, i) => {
    runs[i]!.run();
    const at = runs[i]!.origin(kernel.result);
    const { f32 } = sandbox.heap;
    const result =
      kernel.pass === 'weightGradient'
        ? f32.slice(at, at + arrays.weight.length)
        : readImages(f32, at, kernel.pass === 'forward' ? views.output : views.input, samples);
    return relativeError(g, kernel.pass, arrays, result, COMPARED);
  });
  const tile = yardstick();
  const timings = timeTasks(
    { yardstick: tile.run, ...Object.fromEntries(runs.map(({ run }, i) => [String(i), run])) },
    effort,
  );
  const yardstickGflops = tile.flops / timings.get('yardstick')!.seconds / 1e9;
  const seconds = (i: number) => timings.get(String(i))!.seconds;
  return kernels.map(({ pass, algorithm }, i) => {
    const gflops = (2 * samples * multiplyAdds(g)) / seconds(i) / 1e9;
    const direct = kernels.findIndex((other) => other.pass === pass && other.algorithm === 'direct');
    return {
      class: subject.name,
      pass,
      algorithm,
      code: runs[i]!.code,
      samples,
      microseconds: seconds(i) * 1e6,
      gflops,
      yardstickGflops,
      ratioToYardstick: gflops / yardstickGflops,
      speedup: seconds(direct) / seconds(i),
      relativeError: errors[i]!,
    };
  });
}

function prepareWeights(sandbox: Sandbox, kernel: ConvKernel, weight: Float32Array): void {
  if (kernel.prepare === undefined) return;
  const { f32 } = sandbox.heap;
  const preparing = sandbox.kernels.find(({ spec }) => spec === kernel.prepare)!;
  f32.set(weight, preparing.origin('weight'));
  preparing.run();
  const prepared = kernel.algorithm === 'direct' ? 'packed' : 'transformed';
  const from = preparing.origin(prepared);
  f32.copyWithin(find(sandbox, kernel).origin('weight'), from, from + preparing.length(prepared));
}

function find(sandbox: Sandbox, kernel: ConvKernel) {
  return sandbox.kernels.find(({ spec }) => spec === kernel.spec)!;
}

function deviates(name: string, length: number): Float32Array {
  const key = streamKey(21, 'bench', name);
  return Float32Array.from({ length }, (_, i) => normal(key, i));
}

function format(rows: readonly ConvolutionRow[]): string {
  const table = formatTable<ConvolutionRow>(
    [
      { title: 'convolution', text: (row) => row.class, align: 'left' },
      { title: 'pass', text: ({ pass }) => PASS_NAMES[pass], align: 'left' },
      { title: 'algorithm', text: ({ algorithm }) => algorithm, align: 'left' },
      { title: 'us', text: ({ microseconds }) => digits(microseconds) },
      { title: 'GFLOP/s', text: ({ gflops }) => digits(gflops) },
      { title: 'of micro-kernel', text: ({ ratioToYardstick }) => percent(ratioToYardstick) },
      { title: 'to direct', text: ({ speedup }) => times(speedup) },
      { title: 'error', text: (row) => row.relativeError.toExponential(1) },
      { title: 'code', text: ({ code }) => code },
    ],
    rows,
  );
  return [table, '', ...weakest(rows)].join('\n');
}

/** The least favourable 3x3 convolution of 32 and more channels, pass by pass: direct and F(4,3). */
function weakest(rows: readonly ConvolutionRow[]): string[] {
  const plain = rows.filter((row) => PLAIN_3X3.test(row.class));
  const least = (algorithm: ConvAlgorithm, pass: ConvPass, value: (row: ConvolutionRow) => number) =>
    plain
      .filter((row) => row.algorithm === algorithm && row.pass === pass)
      .reduce((worst, row) => (value(row) < value(worst) ? row : worst));
  return CONV_PASSES.flatMap((pass) => {
    const direct = least('direct', pass, (row) => row.ratioToYardstick);
    const fast = least('F(4,3)', pass, (row) => row.speedup);
    return [
      `${PASS_NAMES[pass]}: direct reaches at least ${percent(direct.ratioToYardstick)} of the micro-kernel (${direct.class})`,
      `${PASS_NAMES[pass]}: F(4,3) is at least ${times(fast.speedup)} as fast as direct (${fast.class})`,
    ];
  });
}

/** Stride, dilation and groups of 1, 32 and more channels on both sides. */
const PLAIN_3X3 = /^3x3 (?:32|64|128|256|512)>/;

const PASS_NAMES = {
  forward: 'forward',
  inputGradient: 'input gradient',
  weightGradient: 'weight gradient',
} as const;

export const convolution: Suite<readonly ConvolutionRow[]> = {
  name: 'convolution',
  title: 'Convolutions by class, pass and algorithm (one core; rates counted as direct convolution)',
  run,
  format,
};

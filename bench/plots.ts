/**
 * `node bench/plots.ts FILE [--out DIR]`: draws pictures of the figures that `npm run bench -- --json FILE` wrote, as
 * SVG, into docs/benchmarks.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FormatError } from '../src/errors.ts';
import type { Spec } from '../src/report/look.ts';
import { renderSvg } from '../src/report/render.ts';
import type { Environment } from './environment.ts';
import { convolutions } from './plots/convolutions.ts';
import { roofline } from './plots/roofline.ts';
import { scaling } from './plots/scaling.ts';
import { shares } from './plots/shares.ts';
import type { ConvolutionRow } from './suites/convolution.ts';
import type { InferenceRow } from './suites/inference.ts';
import type { KernelRow } from './suites/kernels.ts';
import type { MicroResult } from './suites/micro.ts';
import type { StepResult } from './suites/step.ts';
import type { TrainingRow } from './suites/training.ts';

interface Figures {
  readonly format: string;
  readonly version: number;
  readonly environment: Environment;
  readonly settings: { readonly quick: boolean };
  readonly suites: {
    readonly micro?: MicroResult;
    readonly convolution?: readonly ConvolutionRow[];
    readonly kernels?: readonly KernelRow[];
    readonly step?: readonly StepResult[];
    readonly training?: readonly TrainingRow[];
    readonly inference?: readonly InferenceRow[];
  };
}

function readFigures(file: string): Figures {
  const figures: Figures = JSON.parse(readFileSync(file, 'utf8'));
  if (figures.format === 'faltung-bench' && figures.version === 1) return figures;
  throw new FormatError({
    operation: 'plots',
    argument: file,
    expected: "format 'faltung-bench', version 1",
    received: `${figures.format}, ${figures.version}`,
    hint: 'npm run bench -- --json FILE writes it',
  });
}

/** The pictures for which there are figures, by file name. */
function pictures({ environment: e, settings, suites }: Figures): Record<string, Spec> {
  const { micro, convolution, kernels, step, training, inference } = suites;
  const place = `${e.cpu}, ${e.cores} cores, Node ${e.node}, Faltung ${e.faltung}, ${e.date.slice(0, 10)}`;
  const where = settings.quick ? `SHORT RUNS, NOT TO QUOTE. ${place}` : place;
  return {
    ...(training && inference && { scaling: scaling(training, inference, where) }),
    ...(micro && kernels && { roofline: roofline(micro, kernels, where) }),
    ...(step && { step: shares(step, where) }),
    ...(convolution && { convolutions: convolutions(convolution, where) }),
  };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' } },
});
const [file] = positionals;
if (file === undefined) {
  process.stderr.write('usage: node bench/plots.ts FILE [--out DIR]\n');
  process.exit(2);
}
const out = values.out ?? fileURLToPath(new URL('../docs/benchmarks', import.meta.url));
mkdirSync(out, { recursive: true });
for (const [name, spec] of Object.entries(pictures(readFigures(file)))) {
  const target = join(out, `${name}.svg`);
  writeFileSync(target, await renderSvg(spec));
  process.stdout.write(`Written: ${target}\n`);
}

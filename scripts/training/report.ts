/** report.html of a run: everything that came of it on one page. */
import { type Engine, type EpochRecord, evaluateClassifier } from '../../src/index.ts';
import { type GradientNorm, modelPictures, sampleGrid, trainingReportHtml } from '../../src/report/index.ts';
import { shellQuoted } from '../command.ts';
import { wordsOf } from './options.ts';
import type { Job } from './run.ts';
import { runFiles, writeWhole } from './run-folder.ts';

/** How the run went. */
export interface Outcome {
  readonly records: readonly EpochRecord[];
  readonly bestEpoch: number;
  readonly norms: readonly GradientNorm[];
  /** Whether the model is trained, and shall be shown at work; else only how far it came. */
  readonly complete: boolean;
  readonly engine?: Engine;
  readonly hash?: string;
  readonly note?: string;
}

/** Writes the page; returns its path. Throws ConfigError where a package that draws is not installed. */
export async function writeReport(job: Job, outcome: Outcome): Promise<string> {
  const { command, options, model, data } = job;
  const { records, bestEpoch, norms, complete, engine, hash, note } = outcome;
  const where = engine ? { engine } : {};
  const shown = data.test.size > 0 ? data.test : data.validation;
  const evaluation = complete && shown.size > 0 ? await evaluateClassifier(model, shown, where) : undefined;
  const pictures = evaluation ? await modelPictures(model, shown, { ...evaluation, ...where }) : [];
  const samples = {
    title: 'The first training images',
    grids: [await sampleGrid(data.train, { cellWidth: 72 })],
  };
  const line = `npm run ${command} -- ${wordsOf(job.arguments).map(shellQuoted).join(' ')}`;
  const html = await trainingReportHtml({
    title: `${job.modelName} on ${data.name}`,
    lead: [
      `${data.train.size} images for training, ${data.validation.size} for validation, ${data.test.size} for the test.`,
      ...(note ? [note] : []),
    ].join(' '),
    configuration: {
      data: data.description,
      ...job.arguments,
      engine: options.engine,
      node: process.versions.node,
    },
    summary: model.summary({ batchSize: options.batchSize, ...(engine && { threads: engine.threads }) }),
    parameters: model.parameterCount,
    records,
    ...(bestEpoch > 0 && { bestEpoch }),
    gradientNorms: norms,
    ...(evaluation && { evaluation }),
    pictures: [samples, ...pictures],
    footer: `${line}${hash === undefined ? '' : ` gives weights with the SHA-256 ${hash}, on any machine and any number of threads.`}`,
  });
  const { report } = runFiles(options.out);
  await writeWhole(command, report, html);
  return report;
}

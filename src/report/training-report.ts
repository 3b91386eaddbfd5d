/** The report of a training run as one page: what it was, how it went, what came of it. */

import type { ClassifierEvaluation } from '../training/evaluation/evaluate-classifier.ts';
import type { EpochRecord } from '../training/history.ts';
import { classBars, confusionChart } from './charts/classes.ts';
import { accuracyCurve, learningRateChart, lossCurve } from './charts/curves.ts';
import { type GradientNorm, gradientNormChart } from './charts/gradients.ts';
import { reliabilityDiagram } from './charts/reliability.ts';
import { formatDuration } from './duration.ts';
import { escapeMarkup, type Grid, gridHtml } from './grid.ts';
import type { Spec } from './look.ts';
import {
  chartsHtml,
  commandHtml,
  type PageSection,
  pageHtml,
  tableHtml,
  textHtml,
  tilesHtml,
} from './page.ts';
import { renderSvg } from './render.ts';

/** What a report shows; what is missing is left out. Plain data. */
export interface TrainingReport {
  readonly title: string;
  /** A sentence or two below the title. */
  readonly lead?: string;
  /** Names and values, such as the options of the run. */
  readonly configuration?: Readonly<Record<string, unknown>>;
  /** `model.summary()`. */
  readonly summary?: string;
  readonly parameters?: number;
  readonly records: readonly EpochRecord[];
  readonly bestEpoch?: number;
  readonly gradientNorms?: readonly GradientNorm[];
  /** On the test set. */
  readonly evaluation?: ClassifierEvaluation;
  /** Pictures under headings, in this order: samples, mistakes, filters, feature maps. */
  readonly pictures?: readonly PictureSection[];
  /** Such as hashes of weights: printed at the end. */
  readonly footer?: string;
}

/** Grids under a heading. */
export interface PictureSection {
  readonly title: string;
  readonly text?: string;
  readonly grids: readonly Grid[];
}

/** The page. Throws ConfigError where vega or vega-lite is not installed. */
export async function trainingReportHtml(report: TrainingReport): Promise<string> {
  const { title, lead, records, configuration, summary, evaluation, pictures = [], footer } = report;
  const sections: PageSection[] = [
    ...(records.length > 0 ? [{ title: 'Training', html: await curves(report) }] : []),
    ...(evaluation ? await evaluationSections(evaluation) : []),
    ...pictures.filter(({ grids }) => grids.some(({ cells }) => cells.length > 0)).map(pictureSection),
    ...(configuration ? [{ title: 'Configuration', html: configurationTable(configuration) }] : []),
    ...(summary === undefined ? [] : [{ title: 'Model', html: textHtml(summary) }]),
    ...(records.length > 0
      ? [{ title: 'All epochs', html: epochTable(records, report.bestEpoch), folded: true }]
      : []),
    ...(footer === undefined ? [] : [{ title: 'Reproducing it', html: commandHtml(footer) }]),
  ];
  const words = lead === undefined ? '' : `<p>${escapeMarkup(lead)}</p>`;
  return pageHtml(title, words + tilesHtml(tiles(report)), sections);
}

function tiles({ evaluation, records, bestEpoch, parameters }: TrainingReport): [string, string][] {
  const last = records.at(-1);
  const best = records.find(({ epoch }) => epoch === bestEpoch);
  const seconds = records.reduce((sum, record) => sum + record.seconds, 0);
  const rate = records.reduce((sum, { imagesPerSecond }) => sum + 1 / imagesPerSecond, 0);
  const result: [string, string | undefined][] = [
    ['test accuracy', evaluation && percent(evaluation.accuracy)],
    ['test loss', evaluation?.loss.toFixed(4)],
    [
      `top-${evaluation?.topK.k} accuracy`,
      evaluation && evaluation.topK.k > 1 ? percent(evaluation.topK.accuracy) : undefined,
    ],
    ['calibration error', evaluation && percent(evaluation.calibration.expectedError)],
    ['validation accuracy', hasValue(last?.valAccuracy) ? percent(last!.valAccuracy!) : undefined],
    ['validation error', last?.valMeanAbsoluteError?.toFixed(4)],
    ['best epoch', best && `${best.epoch} of ${last!.epoch}`],
    ['images/s in training', last && String(Math.round(records.length / rate))],
    ['time of training', last && formatDuration(seconds)],
    ['parameters', parameters?.toLocaleString('en-US')],
  ];
  return result.filter((tile): tile is [string, string] => tile[1] !== undefined);
}

async function curves({ records, bestEpoch, gradientNorms = [] }: TrainingReport): Promise<string> {
  const marked = bestEpoch === undefined ? {} : { bestEpoch };
  const changes = new Set(records.map(({ learningRate }) => learningRate)).size > 1;
  const note = bestEpoch === undefined ? '' : `<p>Dashed: the best epoch, ${bestEpoch}.</p>`;
  const charts = await draw([
    lossCurve(records, marked),
    ...(records.some(({ accuracy }) => hasValue(accuracy)) ? [accuracyCurve(records, marked)] : []),
    ...(changes ? [learningRateChart(records)] : []),
    ...(gradientNorms.length > 0 ? [gradientNormChart(gradientNorms)] : []),
  ]);
  return note + charts;
}

async function evaluationSections(evaluation: ClassifierEvaluation): Promise<PageSection[]> {
  const { report, confusion, calibration } = evaluation;
  const averages = [
    ['micro avg', report.micro],
    ['macro avg', report.macro],
    ['weighted avg', report.weighted],
  ] as const;
  const rows = [...report.classes.map((scores) => [scores.name, scores] as const), ...averages].map(
    ([name, { precision, recall, f1, support }]) => [
      name,
      ...[precision, recall, f1].map((figure) => figure.toFixed(3)),
      String(support),
    ],
  );
  return [
    {
      title: 'Evaluation on the test set',
      html: await draw([classBars(report)], tableHtml(['', 'precision', 'recall', 'F1', 'support'], rows)),
    },
    { title: 'What was taken for what', html: await draw([confusionChart(confusion)]) },
    { title: 'Are the probabilities right?', html: await draw([reliabilityDiagram(calibration)]) },
  ];
}

async function draw(specs: readonly Spec[], before = ''): Promise<string> {
  const charts = specs.map(async (spec) => ({
    svg: await renderSvg(spec, { surface: 'page' }),
    name: (spec.title as { readonly text: string }).text,
  }));
  return chartsHtml(await Promise.all(charts), before);
}

function pictureSection({ title, text, grids }: PictureSection): PageSection {
  const drawn = grids
    .filter(({ cells }) => cells.length > 0)
    .map((grid) => {
      const heading = grid.title === undefined ? '' : `<h3>${escapeMarkup(grid.title)}</h3>`;
      const note = grid.subtitle === undefined ? '' : `<p>${escapeMarkup(grid.subtitle)}</p>`;
      return heading + note + gridHtml(grid);
    });
  return { title, html: (text === undefined ? '' : `<p>${escapeMarkup(text)}</p>`) + drawn.join('') };
}

function configurationTable(configuration: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(configuration)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]);
  return tableHtml([], rows, { words: true });
}

function epochTable(records: readonly EpochRecord[], bestEpoch: number | undefined): string {
  const outputs = Object.keys(records.at(-1)?.outputs ?? {});
  const losses = (which: 'outputs' | 'valOutputs', title: string) =>
    outputs.map((name) => column(`${title} of ${name}`, (record) => record[which]?.[name]?.loss, 4));
  // What no epoch has is no column.
  const columns = [
    column('epoch', ({ epoch }) => epoch, 0),
    column('loss', ({ loss }) => loss, 4),
    ...losses('outputs', 'loss'),
    column('accuracy', ({ accuracy }) => accuracy, 4),
    column('mean absolute error', ({ meanAbsoluteError }) => meanAbsoluteError, 4),
    column('validation loss', ({ valLoss }) => valLoss, 4),
    ...losses('valOutputs', 'validation loss'),
    column('validation accuracy', ({ valAccuracy }) => valAccuracy, 4),
    column('validation error', ({ valMeanAbsoluteError }) => valMeanAbsoluteError, 4),
    {
      ...column('learning rate', ({ learningRate }) => learningRate, 0),
      show: (rate: number) => (rate > 0 && rate < 1e-4 ? rate.toExponential(2) : rate.toPrecision(3)),
    },
    column('seconds', ({ seconds }) => seconds, 1),
    column('images/s', ({ imagesPerSecond }) => imagesPerSecond, 0),
  ].filter(({ read }) => records.some((record) => hasValue(read(record))));
  const rows = records.map((record) =>
    columns.map(({ read, show }) => (hasValue(read(record)) ? show(read(record)!) : '')),
  );
  const marked = records.findIndex(({ epoch }) => epoch === bestEpoch);
  return tableHtml(
    columns.map(({ title }) => title),
    rows,
    { marked },
  );
}

function column(title: string, read: (record: EpochRecord) => number | undefined, digits: number) {
  return { title, read, show: (value: number) => value.toFixed(digits) };
}

/** Whether a figure is there: the accuracy of numbers is NaN. */
function hasValue(figure: number | undefined): boolean {
  return figure !== undefined && !Number.isNaN(figure);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

/** The files of an evaluation: figures, pictures, and a page with both. */
import path from 'node:path';
import type { ClassifierEvaluation, Engine } from '../../src/index.ts';
import {
  classBars,
  confusionChart,
  gridSvg,
  mistakeGrid,
  modelPictures,
  reliabilityDiagram,
  renderSvg,
  trainingReportHtml,
} from '../../src/report/index.ts';
import { writeJson, writeWhole } from '../training/run-folder.ts';
import type { Classifier } from './open-model.ts';
import type { TestData } from './test-data.ts';

/** Writes them into a folder; returns their paths. Throws ConfigError where a package that draws is not installed. */
export async function writeEvaluation(
  command: string,
  out: string,
  found: {
    readonly classifier: Classifier;
    readonly data: TestData;
    readonly evaluation: ClassifierEvaluation;
    readonly figures: object;
    readonly engine: Engine;
  },
): Promise<string[]> {
  const { classifier, data, evaluation, figures, engine } = found;
  const { model, file } = classifier;
  const { report, confusion, calibration, mistakes } = evaluation;
  const written: string[] = [];
  const at = (name: string) => {
    const place = path.join(out, name);
    written.push(place);
    return place;
  };
  await writeJson(command, at('evaluation.json'), figures);
  for (const [name, chart] of [
    ['confusion.svg', confusionChart(confusion)],
    ['classes.svg', classBars(report)],
    ['reliability.svg', reliabilityDiagram(calibration)],
  ] as const) {
    await writeWhole(command, at(name), await renderSvg(chart));
  }
  if (mistakes.length > 0) {
    const grid = await mistakeGrid(data.dataset, mistakes, { title: 'The surest mistakes' });
    await writeWhole(command, at('mistakes.svg'), gridSvg(grid));
  }
  const html = await trainingReportHtml({
    title: `${path.basename(path.dirname(path.resolve(file)))}: ${path.basename(file)}`,
    lead: `Evaluated on ${data.dataset.size} images of ${data.description}.`,
    configuration: { model: file, data: data.description },
    summary: model.summary({ threads: engine.threads }),
    parameters: model.parameterCount,
    records: [],
    evaluation,
    pictures: await modelPictures(model, data.dataset, { ...evaluation, engine }),
  });
  await writeWhole(command, at('report.html'), html);
  return written;
}

/** `npm run evaluate -- --model M --data DIR`: how good a trained model is. */
import path from 'node:path';
import {
  type ClassifierEvaluation,
  createEngine,
  evaluateClassifier,
  formatClassificationReport,
  formatConfusionMatrix,
} from '../src/index.ts';
import { ensureFolder } from '../src/io/atomic-write.ts';
import { flag, readArguments, text, wholeNumber } from './arguments.ts';
import { complain, count, EXIT, runCommand } from './command.ts';
import { writeEvaluation } from './models/evaluation-files.ts';
import { type Classifier, namedModel, openClassifier } from './models/open-model.ts';
import { openTestData, type TestData } from './models/test-data.ts';

const COMMAND = 'evaluate';

const HELP = `Says how good a trained model is.

  npm run evaluate -- --model M --data DIR

  --model M      a model's file, or the folder of a run
  --data DIR     CIFAR-10 (its test set is taken; 'synthetic' for drawn images), or a folder with a folder of JPEG,
                 PNG or WebP files for each class, or one with such a folder as 'test'; default: CIFAR-10, if it is here
  --limit N      at most N images
  --strict       images that cannot be read are an error; else they are left out and listed
  --out DIR      also writes report.html, evaluation.json, and confusion.svg, classes.svg, reliability.svg, mistakes.svg
  --json         one JSON text in the place of the tables
  --threads N    workers; default: all processors
  --help         this text

Exit codes: 0 done, 1 failed, 2 wrong options.
`;

const OPTIONS = {
  model: text,
  data: text,
  limit: text,
  strict: flag,
  out: text,
  json: flag,
  threads: text,
  help: flag,
} as const;

function read(args: readonly string[]) {
  const values = readArguments(COMMAND, args, OPTIONS);
  return {
    model: namedModel(COMMAND, values.model),
    data: values.data,
    limit: wholeNumber(COMMAND, 'limit', values.limit, 1),
    strict: values.strict === true,
    out: values.out,
    json: values.json === true,
    threads: wholeNumber(COMMAND, 'threads', values.threads, 1),
  };
}

async function run(options: ReturnType<typeof read>): Promise<number> {
  const { threads, out } = options;
  const classifier = await openClassifier(COMMAND, options.model);
  const engine = createEngine({ ...(threads !== undefined && { threads }) });
  try {
    // What cannot be written to is found before the work, not after it.
    if (out !== undefined) await ensureFolder(COMMAND, out);
    const data = await openTestData(COMMAND, classifier, options);
    for (const { file, reason } of data.skipped) complain(`Left out: ${file}: ${reason}`);
    const evaluation = await evaluateClassifier(classifier.model, data.dataset, { engine });
    const text = options.json
      ? JSON.stringify(figuresOf(classifier, data, evaluation), null, 2)
      : textOf(classifier, data, evaluation);
    process.stdout.write(`${text}\n`);
    if (out !== undefined) {
      const figures = figuresOf(classifier, data, evaluation);
      const files = await writeEvaluation(COMMAND, out, { classifier, data, evaluation, figures, engine });
      if (!options.json) process.stdout.write(`\n${files.map((file) => `Written: ${file}`).join('\n')}\n`);
    }
    return EXIT.done;
  } finally {
    await classifier.model.close();
    await engine.close();
  }
}

function textOf(classifier: Classifier, data: TestData, evaluation: ClassifierEvaluation): string {
  const { loss, accuracy, topK, calibration, report, confusion } = evaluation;
  const percent = (share: number) => `${(100 * share).toFixed(2)}%`;
  const named = { ...confusion, classNames: classifier.classNames };
  return [
    `Model:  ${classifier.file}, ${classifier.model.parameterCount.toLocaleString('en-US')} parameters`,
    `Data:   ${count(data.dataset.size, 'image')} of ${path.normalize(data.description)}`,
    '',
    `Loss               ${loss.toFixed(4)}`,
    `Accuracy           ${percent(accuracy)}`,
    ...(topK.k > 1 && topK.k < classifier.classes
      ? [`Top-${topK.k} accuracy     ${percent(topK.accuracy)}`]
      : []),
    `Calibration error  ${percent(calibration.expectedError)}`,
    '',
    formatClassificationReport(report),
    '',
    'Confusion matrix (rows: the truth, columns: the answers)',
    '',
    formatConfusionMatrix(named),
  ].join('\n');
}

/** The figures as plain data. */
function figuresOf(classifier: Classifier, data: TestData, evaluation: ClassifierEvaluation) {
  const { loss, accuracy, topK, report, confusion, calibration, mistakes } = evaluation;
  return {
    model: classifier.file,
    data: data.description,
    images: data.dataset.size,
    loss,
    accuracy,
    topK,
    report,
    confusion,
    calibration,
    mistakes,
    skipped: data.skipped,
  };
}

await runCommand({ help: HELP, read, run });

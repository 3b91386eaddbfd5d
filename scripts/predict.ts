/** `npm run predict -- --model M IMAGE...`: what a trained model takes pictures for. */
import { ConfigError } from '../src/errors.ts';
import { createEngine } from '../src/index.ts';
import { choice, flag, readWithWords, text, wholeNumber } from './arguments.ts';
import { complain, EXIT, runCommand } from './command.ts';
import { type Answer, classify } from './models/classify.ts';
import { type Classifier, namedModel, openClassifier } from './models/open-model.ts';
import { formatTable } from './models/table.ts';

const COMMAND = 'predict';

const HELP = `Says what a trained model takes pictures for.

  npm run predict -- --model M IMAGE...

  --model M      a model's file, or the folder of a run
  IMAGE          JPEG, PNG or WebP files of any size
  --top N        so many classes a picture, the likeliest first; default 3
  --resize X     'stretch', 'crop' or 'pad' pictures of other proportions; default: as in training
  --json         one JSON text in the place of the table
  --threads N    workers; default: all processors
  --help         this text

Exit codes: 0 done, 1 failed, or some picture could not be read (the others are answered), 2 wrong options.
`;

const OPTIONS = { model: text, top: text, resize: text, json: flag, threads: text, help: flag } as const;

function read(args: readonly string[]) {
  const { values, positionals: images } = readWithWords(COMMAND, args, OPTIONS);
  if (images.length === 0) {
    throw new ConfigError({
      operation: COMMAND,
      argument: 'IMAGE',
      expected: 'a file or more',
      received: 'none',
    });
  }
  return {
    images,
    model: namedModel(COMMAND, values.model),
    top: wholeNumber(COMMAND, 'top', values.top, 1) ?? 3,
    resize: choice(COMMAND, 'resize', values.resize, ['stretch', 'crop', 'pad']),
    json: values.json === true,
    threads: wholeNumber(COMMAND, 'threads', values.threads, 1),
  };
}

type Options = ReturnType<typeof read>;

async function run(options: Options): Promise<number> {
  const { images, top, resize, threads } = options;
  const classifier = await openClassifier(COMMAND, options.model);
  const engine = createEngine({ ...(threads !== undefined && { threads }) });
  try {
    const answers = await classify(classifier, images, { engine, ...(resize && { resize }) });
    const text = options.json ? jsonOf(classifier, answers, top) : tableOf(classifier, answers, top);
    if (text !== '') process.stdout.write(`${text}\n`);
    const failed = answers.filter((answer) => 'error' in answer);
    for (const { error } of failed) complain(error);
    return failed.length === 0 ? EXIT.done : EXIT.failed;
  } finally {
    await classifier.model.close();
    await engine.close();
  }
}

/** The largest outputs, the first among equals first. */
function likeliest(outputs: Float32Array, top: number): number[] {
  const order = [...outputs.keys()].sort((a, b) => outputs[b]! - outputs[a]! || a - b);
  return order.slice(0, top);
}

function tableOf({ classNames }: Classifier, answers: readonly Answer[], top: number): string {
  const answered = answers.filter((answer) => 'outputs' in answer);
  if (answered.length === 0) return '';
  const sound = answered.every(({ outputs }) => isDistribution(outputs));
  const rows = answered.flatMap(({ image, outputs }) =>
    likeliest(outputs, top).map((index, i) => [
      i === 0 ? image : '',
      classNames[index]!,
      sound ? `${(100 * outputs[index]!).toFixed(1)}%` : outputs[index]!.toPrecision(4),
    ]),
  );
  return formatTable(['image', 'class', sound ? 'probability' : 'output'], rows, [2]);
}

/** Whether outputs are probabilities: models without a softmax at their end give others. */
function isDistribution(outputs: Float32Array): boolean {
  const sum = outputs.reduce((total, output) => total + output, 0);
  return outputs.every((output) => output >= 0) && Math.abs(sum - 1) < 1e-3;
}

function jsonOf({ file, classNames }: Classifier, answers: readonly Answer[], top: number): string {
  const images = answers.map((answer) => {
    if ('error' in answer) return answer;
    const classes = likeliest(answer.outputs, top).map((index) => ({
      index,
      name: classNames[index],
      output: answer.outputs[index],
    }));
    return { image: answer.image, classes };
  });
  return JSON.stringify({ model: file, images }, null, 2);
}

await runCommand({ help: HELP, read, run });

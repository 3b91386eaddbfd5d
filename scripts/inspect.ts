/** `npm run inspect -- --model M IMAGE`: what a model's layers look for, and what they make of a picture, as PNG files. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, FaltungError, FileError } from '../src/errors.ts';
import { createEngine, type Dataset, type RunOptions } from '../src/index.ts';
import {
  featureMaps,
  filtersOf,
  type Grid,
  gradCam,
  gridSvg,
  overlay,
  readSamples,
  svgToPng,
} from '../src/report/index.ts';
import { choice, flag, readWithWords, text, wholeNumber } from './arguments.ts';
import { complain, EXIT, runCommand } from './command.ts';
import { datasetOf, readPicture } from './models/classify.ts';
import { type Classifier, namedModel, openClassifier } from './models/open-model.ts';

const COMMAND = 'inspect';

const HELP = `Draws what a model's layers look for, and what they make of a picture, as PNG files.

  npm run inspect -- --model M IMAGE

  --model M      a model's file, or the folder of a run
  IMAGE          a JPEG, PNG or WebP file of any size
  --layers A,B   layers by name; default: all convolutions ('list' prints the names)
  --count N      maps and filters a layer, the first ones; default 64
  --resize X     'stretch', 'crop' or 'pad' a picture of other proportions; default: as in training
  --out DIR      default inspect/<the picture's name>
  --threads N    workers; default: all processors
  --help         this text

Files: input.png, maps-<layer>.png, filters-<layer>.png of convolutions, and gradcam.png, where in the picture the model
saw its answer. Exit codes: 0 done, 1 failed, 2 wrong options.
`;

const OPTIONS = {
  model: text,
  layers: text,
  count: text,
  resize: text,
  out: text,
  threads: text,
  help: flag,
} as const;

function read(args: readonly string[]) {
  const { values, positionals } = readWithWords(COMMAND, args, OPTIONS);
  const [image, ...others] = positionals;
  const list = values.layers === 'list';
  if ((image === undefined && !list) || others.length > 0) {
    const received = image === undefined ? 'none' : String(positionals.length);
    throw new ConfigError({ operation: COMMAND, argument: 'IMAGE', expected: 'one file', received });
  }
  const name = path.parse(image ?? '').name;
  return {
    image: image ?? '',
    model: namedModel(COMMAND, values.model),
    list,
    layers: values.layers?.split(',').filter((layer) => layer !== ''),
    count: wholeNumber(COMMAND, 'count', values.count, 1) ?? 64,
    resize: choice(COMMAND, 'resize', values.resize, ['stretch', 'crop', 'pad']),
    out: values.out ?? path.join('inspect', name),
    threads: wholeNumber(COMMAND, 'threads', values.threads, 1),
  };
}

type Options = ReturnType<typeof read>;

async function run(options: Options): Promise<number> {
  const classifier = await openClassifier(COMMAND, options.model);
  const { threads } = options;
  const engine = createEngine({ ...(threads !== undefined && { threads }) });
  try {
    if (options.list) {
      const names = classifier.model.graph.nodes.map(
        ({ name, outputShape }) => `${name} [${outputShape.join(', ')}]`,
      );
      process.stdout.write(`${names.join('\n')}\n`);
      return EXIT.done;
    }
    await drawAll(classifier, options, { engine });
    return EXIT.done;
  } finally {
    await classifier.model.close();
    await engine.close();
  }
}

async function drawAll(classifier: Classifier, options: Options, where: RunOptions): Promise<void> {
  const { image, layers: wanted, count, out } = options;
  const { model, inputShape } = classifier;
  const layers = wanted ?? drawable(classifier, (type) => type.includes('onv'));
  const pixels = new Uint8Array(inputShape[0] * inputShape[1] * inputShape[2]);
  await readPicture(classifier, image, pixels, options.resize);
  const picture = datasetOf(classifier, pixels);
  const maps = await featureMaps(model, picture, layers, { ...where, count });
  const draw = async (name: string, grid: Grid) => write(out, name, await svgToPng(gridSvg(grid)));
  const [raster] = (await readSamples(picture, [0])).rasters;
  const cellWidth = Math.min(512, Math.max(128, raster!.width));
  await draw('input', { cells: [{ raster: raster! }], cellWidth, title: path.basename(image) });
  for (const [i, layer] of layers.entries()) {
    const name = layer.replaceAll(/[^\w.-]/g, '-');
    await draw(`maps-${name}`, maps[i]!);
    const weight = model.getWeights()[`${layer}/weight`];
    if (weight?.shape.length === 4) {
      await draw(`filters-${name}`, { ...filtersOf(model, layer, { count }), title: layer });
    }
  }
  const cam = await camGrid(classifier, picture, { raster: raster!, cellWidth }, where);
  if (cam !== undefined) await draw('gradcam', cam);
}

/** Where the answer was seen; undefined for networks in which Grad-CAM cannot be computed. */
async function camGrid(
  { model, classNames }: Classifier,
  picture: Dataset,
  { raster, cellWidth }: { readonly raster: Parameters<typeof overlay>[0]; readonly cellWidth: number },
  where: RunOptions,
): Promise<Grid | undefined> {
  const { data } = await model.predict(picture, where);
  const answer = data.indexOf(data.reduce((a, b) => Math.max(a, b)));
  try {
    const map = await gradCam(model, picture, answer, where);
    const caption = `${classNames[answer]} ${(100 * data[answer]!).toFixed(1)}%`;
    return { cells: [{ raster }, { raster: overlay(raster, map) }], cellWidth, title: caption };
  } catch (error) {
    if (!(error instanceof FaltungError)) throw error;
    complain(`No gradcam.png: ${error.message}`);
    return undefined;
  }
}

/** Names of layers of some types whose outputs are maps. */
function drawable({ model }: Classifier, wanted: (type: string) => boolean): string[] {
  return model.graph.nodes
    .filter(({ layer, outputShape }) => outputShape.length === 3 && wanted(layer.type))
    .map(({ name }) => name);
}

async function write(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const file = path.join(folder, `${name}.png`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, bytes);
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    const details = { operation: COMMAND, argument: file, expected: 'to write it', received };
    throw new FileError(details, { cause });
  }
  process.stdout.write(`${file}\n`);
}

await runCommand({ help: HELP, read, run });

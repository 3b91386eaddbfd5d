/** The pictures of a report: what a model says about samples, where it looks, and what its layers see. */
import { subset } from '../data/array-dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Prediction } from '../training/evaluate.ts';
import type { Mistake } from '../training/evaluation/mistakes.ts';
import type { Model } from '../training/model.ts';
import type { RunOptions } from '../training/state.ts';
import { runOptionsOf } from '../training/where.ts';
import { featureMapGrid } from './feature-maps.ts';
import { filterGrid } from './filters.ts';
import { gradCam, overlay } from './grad-cam.ts';
import type { Grid, GridCell } from './grid.ts';
import type { Raster } from './raster.ts';
import { mistakeGrid, predictionGrid, readSamples } from './samples.ts';
import { convolutionNames, lastMaps } from './sections.ts';
import type { PictureSection } from './training-report.ts';

export interface ModelPicturesOptions extends RunOptions {
  /** The model's answers to the whole data set; computed where they are missing. */
  readonly prediction?: Prediction;
  readonly mistakes?: readonly Mistake[];
  /** Samples shown with their predictions; the first of them also with its feature maps. Default: the first 16. */
  readonly samples?: readonly number[];
  /** Layers whose feature maps are shown. Default: all convolutions. */
  readonly layers?: readonly string[];
}

/** Sections for `trainingReportHtml`, for a classifier of images. */
export async function modelPictures(
  model: Model,
  dataset: Dataset,
  options: ModelPicturesOptions = {},
): Promise<PictureSection[]> {
  const { mistakes = [], layers = convolutionNames(model), ...rest } = options;
  const { samples = firstOf(dataset, 16), prediction: all } = rest;
  const where = runOptionsOf(rest);
  const shown = subset(dataset, samples);
  const prediction = all === undefined ? await model.predict(shown, where) : chosen(all, samples);
  const [camSamples, mapSample] = [samples.slice(0, 8), samples.slice(0, 1)];
  return [
    {
      title: 'Predictions',
      text: 'Images of the test set. Green: right, orange: wrong.',
      grids: [await predictionGrid(dataset, samples, prediction)],
    },
    {
      title: 'The surest mistakes',
      text: 'Bad labels, or what the model has not understood. Each with the probability of the answer and of the truth.',
      grids: [await mistakeGrid(dataset, mistakes)],
    },
    ...(layers.length === 0
      ? []
      : [
          {
            title: 'Where it looks (Grad-CAM)',
            text: 'Bright: what speaks for the answer given, by the last feature maps.',
            grids: await camGrid(model, dataset, camSamples, prediction, where),
          },
          { title: `Filters of ${layers[0]}`, grids: [filtersOf(model, layers[0]!)] },
          {
            title: 'Feature maps',
            text: 'What each convolution makes of one image. Every map: mean 0, deviation 1; bright is high.',
            grids: [
              { cells: (await readSamples(dataset, mapSample)).rasters.map(imageCell) },
              ...(await featureMaps(model, subset(dataset, mapSample), layers, where)),
            ],
          },
        ]),
  ];
}

const imageCell = (raster: Raster): GridCell => ({ raster, caption: ['the image'] });

/** A grid of feature maps for each layer, of the first sample. */
export async function featureMaps(
  model: Model,
  image: Dataset | Float32Array,
  layers: readonly string[],
  options: RunOptions & { readonly count?: number } = {},
): Promise<Grid[]> {
  const { count = 24, ...where } = options;
  const activations = await model.activations(image, layers, where);
  return layers.map((name) => featureMapGrid(firstSample(activations[name]!), { title: name, count }));
}

/** The filters of a convolution. */
export function filtersOf(model: Model, layer: string, options: { readonly count?: number } = {}): Grid {
  return filterGrid(model.getWeights()[`${layer}/weight`]!, options);
}

async function camGrid(
  model: Model,
  dataset: Dataset,
  samples: readonly number[],
  prediction: Prediction,
  where: RunOptions,
): Promise<Grid[]> {
  const layer = lastMaps(model);
  if (layer === '') return [];
  const { rasters } = await readSamples(dataset, samples);
  const classes = prediction.shape[1]!;
  const cells: GridCell[] = [];
  for (const [i, sample] of samples.entries()) {
    const row = prediction.data.subarray(i * classes, (i + 1) * classes);
    const answer = row.indexOf(row.reduce((a, b) => Math.max(a, b)));
    const map = await gradCam(model, subset(dataset, [sample]), answer, { layer, ...where });
    cells.push({
      raster: overlay(rasters[i]!, map),
      caption: [dataset.classNames?.[answer] ?? String(answer)],
    });
  }
  return [{ cells, cellWidth: 96, columns: 8 }];
}

/** The first sample of [N, ...shape]. */
function firstSample({ shape, data }: Prediction): Prediction {
  return { shape: shape.slice(1), data: data.subarray(0, data.length / shape[0]!) };
}

/** The answers to some samples. */
function chosen({ shape, data }: Prediction, samples: readonly number[]): Prediction {
  const classes = shape[1]!;
  const rows = samples.map((sample) => data.subarray(sample * classes, (sample + 1) * classes));
  return {
    shape: [samples.length, classes],
    data: Float32Array.from(rows.flatMap((row) => [...row])),
  };
}

function firstOf(dataset: Dataset, count: number): number[] {
  return Array.from({ length: Math.min(count, dataset.size) }, (_, i) => i);
}

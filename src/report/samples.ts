/** Samples of a data set as pictures. */
import { createBatchBuffer, type Dataset } from '../data/dataset.ts';
import { elementCount } from '../tensor/shape.ts';
import type { Prediction } from '../training/evaluate.ts';
import { argMax } from '../training/evaluation/answers.ts';
import type { Mistake } from '../training/evaluation/mistakes.ts';
import type { Grid, GridCell, GridOptions } from './grid.ts';
import { COLOURS } from './look.ts';
import { imageRaster, type Raster } from './raster.ts';

/** Pictures and classes of samples of a data set of images. */
export async function readSamples(
  dataset: Dataset,
  indices: readonly number[],
): Promise<{ readonly rasters: Raster[]; readonly labels: number[] }> {
  const buffer = createBatchBuffer(dataset, indices.length);
  if (indices.length > 0) await dataset.read(Uint32Array.from(indices), buffer);
  const length = elementCount(dataset.inputShape);
  const { targets } = buffer;
  const labels =
    targets instanceof Int32Array
      ? targets
      : argMax({ shape: [indices.length, targets.length / Math.max(1, indices.length)], data: targets });
  return {
    rasters: indices.map((_, i) =>
      imageRaster(buffer.inputs.subarray(i * length, (i + 1) * length), dataset.inputShape),
    ),
    labels: [...labels],
  };
}

/** Samples as a grid, with their classes' names below; default: the first 30, as in the notebook. */
export async function sampleGrid(
  dataset: Dataset,
  options: GridOptions & { readonly indices?: readonly number[] } = {},
): Promise<Grid> {
  const { indices = Array.from({ length: Math.min(30, dataset.size) }, (_, i) => i), ...rest } = options;
  const { rasters, labels } = await readSamples(dataset, indices);
  const cells = rasters.map((raster, i) => ({ raster, caption: [nameOf(dataset, labels[i]!)] }));
  return { ...rest, cells };
}

/** Samples with what the model takes them for: right answers edged green, wrong ones orange. */
export async function predictionGrid(
  dataset: Dataset,
  indices: readonly number[],
  prediction: Prediction,
  options: GridOptions = {},
): Promise<Grid> {
  const { rasters, labels } = await readSamples(dataset, indices);
  const answers = argMax(prediction);
  const classes = prediction.shape[1]!;
  const cells = rasters.map((raster, i): GridCell => {
    const answer = answers[i]!;
    const right = answer === labels[i];
    return {
      raster,
      edge: right ? COLOURS.green : COLOURS.red,
      caption: [
        `${nameOf(dataset, answer)} ${percent(prediction.data[i * classes + answer]!)}`,
        right ? '' : `is ${nameOf(dataset, labels[i]!)}`,
      ],
    };
  });
  return { cellWidth: 96, columns: 8, ...options, cells };
}

/** Mistakes with what they were taken for and what they are, each with its probability. */
export async function mistakeGrid(
  dataset: Dataset,
  mistakes: readonly Mistake[],
  options: GridOptions = {},
): Promise<Grid> {
  const { rasters } = await readSamples(
    dataset,
    mistakes.map(({ index }) => index),
  );
  const cells = mistakes.map(
    ({ label, predicted, confidence, labelProbability }, i): GridCell => ({
      raster: rasters[i]!,
      caption: [
        `${nameOf(dataset, predicted)} ${percent(confidence)}`,
        `is ${nameOf(dataset, label)} ${percent(labelProbability)}`,
      ],
    }),
  );
  return { cellWidth: 96, columns: 8, ...options, cells };
}

function nameOf({ classNames }: Dataset, label: number): string {
  return classNames?.[label] ?? String(label);
}

/** 97%, and 99.9% where that would be rounded to a certainty. */
function percent(probability: number): string {
  const rounded = Math.round(100 * probability);
  if (rounded < 100) return `${rounded}%`;
  return `${Math.min(99.9, Math.floor(1000 * probability) / 10)}%`;
}

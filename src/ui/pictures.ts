/** The page's pictures of a model: filters of its first convolution, samples with its answers. */

import { subset } from '../data/array-dataset.ts';
import type { Dataset } from '../data/dataset.ts';
import { filterGrid } from '../report/filters.ts';
import type { Grid } from '../report/grid.ts';
import { COLOURS } from '../report/look.ts';
import { pngDataUri } from '../report/png.ts';
import { predictionGrid } from '../report/samples.ts';
import type { Model } from '../training/model.ts';
import type { RunOptions, Weight } from '../training/state.ts';
import type { UiPictures } from './run-view.ts';

const MOST_FILTERS = 64;

/** The first layer that convolves, by the shape of its weights [kh, kw, in, out]; undefined where there is none. */
export function firstConvolution(weights: Readonly<Record<string, Weight>>): string | undefined {
  const names = Object.keys(weights).filter((name) => name.endsWith('/weight'));
  return names.find((name) => weights[name]!.shape.length === 4)?.slice(0, -'/weight'.length);
}

/** The filters of a layer as they are now. */
export function filterPictures(
  weights: Readonly<Record<string, Weight>>,
  layer: string,
  epoch: number,
): UiPictures {
  const grid = filterGrid(weights[`${layer}/weight`]!, { count: MOST_FILTERS });
  return { title: `${layer}: ${grid.subtitle}`, epoch, pictures: picturesOf(grid) };
}

/**
 * The first `count` samples of a data set with what the model takes them for. Pixels are normalised as those that it
 * was trained on, where it says how.
 */
export async function samplePictures(
  model: Model,
  dataset: Dataset,
  count: number,
  where: RunOptions,
  epoch: number,
): Promise<UiPictures> {
  const { normalization } = model.trainedOn ?? {};
  const shown: Dataset = { ...subset(dataset, count), ...(normalization && { normalization }) };
  const prediction = await model.predict(shown, where);
  const indices = Array.from({ length: shown.size }, (_, i) => i);
  const grid = await predictionGrid(shown, indices, prediction);
  const pictures = picturesOf(grid).map((picture, i) => ({
    ...picture,
    right: grid.cells[i]!.edge === COLOURS.green,
  }));
  const right = pictures.filter((picture) => picture.right).length;
  return { title: `${right} of ${shown.size} right`, epoch, pictures };
}

/** Whether the page can show samples of this data set with the answers of this model: images, an output a class. */
export function canShowSamples(model: Model, { inputShape, size }: Dataset): boolean {
  const [classes = 0, ...others] = model.outputShape;
  return inputShape.length === 3 && size > 0 && others.length === 0 && classes > 1;
}

function picturesOf({ cells }: Grid) {
  return cells.map(({ raster, caption }) => ({
    ...(raster && { image: pngDataUri(raster) }),
    ...(caption && { caption }),
  }));
}

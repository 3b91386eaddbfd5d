/**
 * Grad-CAM (Selvaraju et al. 2017): where in an image a class was seen, by a layer's feature maps A.
 *
 *   a_k = mean over positions of d score_c / d A_k      map = relu(sum over k of a_k A_k)
 *
 * The score is the logit. Its gradient comes from the model's own backward pass: the layers after A, behind a
 * depthwise 1x1 convolution of ones, whose bias k has the gradient sum over positions of dA_k. The cross-entropy's
 * gradient at the logits is p - t, so that of target 0 less that of target e_c is the logit's.
 */
import type { Dataset } from '../data/dataset.ts';
import { ShapeError } from '../errors.ts';
import { conv2d } from '../layers/index.ts';
import { elementCount, formatShape } from '../tensor/shape.ts';
import type { Model } from '../training/model.ts';
import type { RunOptions } from '../training/state.ts';
import { mapRaster, type Raster } from './raster.ts';
import { lastMaps, tailOf } from './sections.ts';

/** [height, width] of the layer's maps, 0 to 1; all 0 where nothing speaks for the class. */
export interface ClassMap {
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
}

export interface GradCamOptions extends RunOptions {
  /** Which feature maps. Default: those of the last convolution, or of where the branches around it meet. */
  readonly layer?: string;
}

const PROBE = 'gradCamProbe';

/**
 * The map of class `target` for one image: a data set of one sample, or floats [...inputShape].
 * Throws ShapeError where the layer has no feature maps or there is more than one image, ConfigError for an unknown
 * layer.
 */
export async function gradCam(
  model: Model,
  image: Dataset | Float32Array,
  target: number,
  options: GradCamOptions = {},
): Promise<ClassMap> {
  const operation = 'gradCam';
  const { layer = lastMaps(model), ...where } = options;
  const { shape, data } = (await model.activations(image, [layer], where))[layer]!;
  const [samples, height, width, channels] = shape as [number, number, number, number];
  if (shape.length !== 4 || samples !== 1) {
    const expected = 'one image, and a layer with feature maps [H, W, C]';
    throw new ShapeError({ operation, argument: layer, expected, received: formatShape(shape) });
  }
  const weights = await channelGradients(model, layer, { data, channels }, target, where);
  const map = Float32Array.from({ length: height * width }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < channels; k++) sum += weights[k]! * data[i * channels + k]!;
    return Math.max(0, sum);
  });
  const most = map.reduce((a, b) => Math.max(a, b), 0);
  return { height, width, data: most > 0 ? map.map((value) => value / most) : map };
}

/** d logit / d A_k, summed over positions. */
async function channelGradients(
  model: Model,
  layer: string,
  maps: { readonly data: Float32Array; readonly channels: number },
  target: number,
  where: RunOptions,
): Promise<Float32Array> {
  const { data: inputs, channels } = maps;
  const probe = conv2d({ filters: channels, kernelSize: 1, groups: channels, name: PROBE });
  const tail = tailOf('gradCam', model, layer, probe);
  try {
    tail.setWeights({ [`${PROBE}/weight`]: new Float32Array(channels).fill(1) });
    const classes = elementCount(model.outputShape);
    const gradient = async (targets: Float32Array) => {
      const { gradients } = await tail.gradientsOnBatch({ inputs, targets }, where);
      return gradients[`${PROBE}/bias`]!.data;
    };
    const without = await gradient(new Float32Array(classes));
    const wanted = await gradient(Float32Array.from({ length: classes }, (_, c) => (c === target ? 1 : 0)));
    return without.map((value, k) => value - wanted[k]!);
  } finally {
    await tail.close();
  }
}

/** How much of the map lies over the image where it is strongest. */
const OPACITY = 0.65;

/** The map in viridis over the image, which is grey elsewhere; the map is interpolated linearly. */
export function overlay(image: Raster, map: ClassMap): Raster {
  const { width, height } = image;
  const at = Float32Array.from({ length: width * height }, (_, i) =>
    interpolate(map, (Math.floor(i / width) + 0.5) / height, ((i % width) + 0.5) / width),
  );
  const heat = mapRaster(
    Uint8Array.from(at, (value) => Math.round(255 * value)),
    width,
    height,
  ).data;
  const data = image.data.map((_, i) => {
    const pixel = 3 * Math.floor(i / 3);
    const [r, g, b] = image.data.subarray(pixel, pixel + 3) as unknown as [number, number, number];
    const grey = 0.299 * r + 0.587 * g + 0.114 * b;
    const share = OPACITY * at[pixel / 3]!;
    return Math.round((1 - share) * grey + share * heat[i]!);
  });
  return { width, height, data };
}

/** The map at a place in 0..1 of its height and width; pixels' middles hold their values. */
function interpolate({ height, width, data }: ClassMap, vertical: number, horizontal: number): number {
  const clamp = (value: number, most: number) => Math.min(most, Math.max(0, value));
  const [y, x] = [clamp(vertical * height - 0.5, height - 1), clamp(horizontal * width - 0.5, width - 1)];
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [bottom, right] = [Math.min(top + 1, height - 1), Math.min(left + 1, width - 1)];
  const row = (r: number) =>
    data[r * width + left]! * (1 - (x - left)) + data[r * width + right]! * (x - left);
  return row(top) * (1 - (y - top)) + row(bottom) * (y - top);
}

/**
 * Cuts the calls of a single large image into bands, so that one image uses every worker: rows of the output for
 * convolution, pooling and activations, outputs for dense layers and for convolutions that have more weights than
 * pixels. A band is a call of the same kind on a smaller image, or with fewer outputs, that begins further down in the
 * same buffers, and the bits are the same.
 *
 * How many bands there are follows from the amount of work alone.
 */

import { PANEL } from '../kernels/conv2d-pack.ts';
import { families } from '../kernels/index.ts';
import type { KernelSpec } from '../kernels/kernel.ts';
import type { BufferRef, Operand, PlannedCall } from '../layers/layer.ts';
import type { ConvGeometry } from '../tensor/convolution.ts';
import type { PoolWindow } from '../tensor/pooling.ts';
import type { View } from '../tensor/view.ts';

/** Floating-point operations that are worth a unit of their own: about 20 microseconds of a core. */
const WORK_PER_BAND = 2e6;
const MAX_BANDS = 16;
/** What an element of an output costs where it is written and read more than computed, in operations. */
const WORK_PER_ELEMENT = 40;
/** Panels of a band at least where each band transforms the input anew. */
const LEAST_PANELS = 8;

/** Rows of the output, and of the input that they read. */
interface Band {
  readonly from: number;
  readonly rows: number;
  /** First row of the input that the band takes for its row 0, and how many it has. */
  readonly inputFrom: number;
  readonly inputRows: number;
  readonly top: number;
  readonly bottom: number;
}

/** What a sliding window does along the vertical axis. */
interface VerticalWindow {
  readonly inHeight: number;
  readonly outHeight: number;
  readonly extent: number;
  readonly stride: number;
  readonly top: number;
  readonly bottom: number;
}

/** The call in parts that can run at the same time; the call itself where it is not worth it or not possible. */
export function splitCall(call: PlannedCall, samples: number): PlannedCall[] {
  const parts = Math.min(MAX_BANDS, Math.floor(workOf(call, samples) / WORK_PER_BAND));
  const split = splitters[call.spec.kind];
  return (parts > 1 && split?.(call, parts)) || [call];
}

function workOf({ spec }: PlannedCall, samples: number): number {
  const output = (spec as AnySpec).output as View | undefined;
  const elements = output === undefined ? 0 : samples * output.height * output.width * output.channels;
  return Math.max(families[spec.kind]?.flops?.(spec, samples) ?? 0, WORK_PER_ELEMENT * elements);
}

type Splitter = (call: PlannedCall, parts: number) => PlannedCall[] | undefined;

// biome-ignore lint/suspicious/noExplicitAny: each splitter knows the spec of its kind.
type AnySpec = any;

const splitters: Readonly<Record<string, Splitter>> = {
  conv2dForward: (call, parts) => splitConvolution(call, parts, 1),
  winogradForward: (call, parts) => splitConvolution(call, parts, (call.spec as AnySpec).outputTile),
  maxPoolForward: splitPooling,
  averagePoolForward: splitPooling,
  activationForward: (call, parts) => splitRows(call, parts),
  averageViews: (call, parts) => splitRows(call, parts),
  batchNormForward: (call, parts) => splitRows(call, parts, 3),
  copyView: (call, parts) => splitRows(call, parts),
  layerNormForward: splitLayerNorm,
  localResponseForward: (call, parts) => splitRows(call, parts),
  maximumViews: (call, parts) => splitRows(call, parts),
  multiplyViews: (call, parts) => splitRows(call, parts),
  scaleView: (call, parts) => splitRows(call, parts),
  denseForward: splitDense,
};

function splitConvolution(call: PlannedCall, parts: number, unit: number): PlannedCall[] | undefined {
  const spec = call.spec as AnySpec;
  const g = spec.geometry as ConvGeometry;
  const byOutputs = moreWeightsThanPixels(spec) ? splitOutputs(call, parts) : undefined;
  if (byOutputs !== undefined) return byOutputs;
  const bands = bandsOf(
    {
      inHeight: g.inHeight,
      outHeight: g.outHeight,
      extent: g.dilationY * (g.kernelHeight - 1) + 1,
      stride: g.strideY,
      top: g.padding.top,
      bottom: g.padding.bottom,
    },
    parts,
    unit,
  );
  return bands?.map((band) => {
    const { top, bottom, inputRows, rows } = band;
    const padding = { ...g.padding, top, bottom };
    const geometry = { ...g, inHeight: inputRows, outHeight: rows, padding };
    return bandCall(call, band, { geometry });
  });
}

/** Where bands of rows would each read all of the weights, which are more than what bands of outputs would read. */
function moreWeightsThanPixels({ kind, geometry, outputTile }: AnySpec): boolean {
  const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, groups } =
    geometry as ConvGeometry;
  if (groups > 1) return false;
  const products = inChannels * outChannels;
  if (kind !== 'winogradForward') {
    return geometry.kernelHeight * geometry.kernelWidth * products > inHeight * inWidth * inChannels;
  }
  const tiles = Math.ceil(outHeight / outputTile) * Math.ceil(outWidth / outputTile);
  return products > tiles * inChannels;
}

/** Panels of a convolution's outputs. */
function splitOutputs(call: PlannedCall, parts: number): PlannedCall[] | undefined {
  const spec = call.spec as AnySpec;
  const { inChannels, outChannels, kernelHeight, kernelWidth } = spec.geometry as ConvGeometry;
  const isWinograd = spec.kind === 'winogradForward';
  const panels = Math.ceil(outChannels / PANEL);
  const most = isWinograd ? Math.floor(panels / LEAST_PANELS) : panels;
  const step = PANEL * Math.ceil(panels / Math.min(parts, Math.max(1, most)));
  if (step >= outChannels) return undefined;
  const perOutput = inChannels * (isWinograd ? 1 : kernelHeight * kernelWidth);
  const calls: PlannedCall[] = [];
  for (let from = 0; from < outChannels; from += step) {
    const outputs = Math.min(step, outChannels - from);
    const operands = [...call.operands];
    const shiftAt = (at: number, elements: number) => {
      operands[at] = shift(operands[at]!, elements);
    };
    shiftAt(1, from * perOutput);
    if (spec.bias) shiftAt(2, from);
    shiftAt(operands.length - 2, from);
    const changes = {
      geometry: { ...spec.geometry, outChannels: outputs },
      output: { ...spec.output, channels: outputs },
      ...(isWinograd && { weightOutputs: outChannels }),
    };
    calls.push({ spec: { ...spec, ...changes } as KernelSpec, operands });
  }
  return calls;
}

function splitPooling(call: PlannedCall, parts: number): PlannedCall[] | undefined {
  const spec = call.spec as AnySpec;
  const window = spec.window as PoolWindow;
  const padded = Object.values(window.padding).some((pixels) => pixels > 0);
  if (spec.countPadding && padded) return undefined;
  const { top, bottom } = window.padding;
  const [inHeight, outHeight] = [(spec.input as View).height, (spec.output as View).height];
  const vertical = { inHeight, outHeight, extent: window.height, stride: window.strideY, top, bottom };
  return bandsOf(vertical, parts, 1)?.map((band) =>
    bandCall(call, band, {
      window: { ...window, padding: { ...window.padding, top: band.top, bottom: band.bottom } },
    }),
  );
}

/**
 * Elements of the output from those in the same place of the input, or of several inputs. These come first among the
 * operands; `outputFromEnd`: the output's place, counted from the last.
 */
function splitRows(call: PlannedCall, parts: number, outputFromEnd = 2): PlannedCall[] | undefined {
  const spec = call.spec as AnySpec;
  const inputs = (spec.inputs ?? [spec.input]) as readonly View[];
  const output = spec.output as View;
  const { height } = output;
  const vertical = { inHeight: height, outHeight: height, extent: 1, stride: 1, top: 0, bottom: 0 };
  return bandsOf(vertical, parts, 1)?.map(({ from, rows }) => {
    const operands = [...call.operands];
    const at = operands.length - outputFromEnd;
    operands[at] = shift(operands[at]!, from * output.rowStride);
    inputs.forEach((view, i) => {
      operands[i] = shift(operands[i]!, from * view.rowStride);
    });
    const cut = (view: View) => ({ ...view, height: rows });
    const images = spec.inputs === undefined ? { input: cut(spec.input) } : { inputs: inputs.map(cut) };
    return { spec: { ...spec, ...images, output: cut(output) } as KernelSpec, operands };
  });
}

/** Pixels are normalised by themselves, images as a whole; a pixel has two numbers in the statistics. */
function splitLayerNorm(call: PlannedCall, parts: number): PlannedCall[] | undefined {
  const { over, input } = call.spec as AnySpec;
  if (over === 'image') return undefined;
  let row = 0;
  return splitRows(call, parts)?.map((band) => {
    const operands = [...band.operands];
    const at = operands.length - 3;
    operands[at] = shift(operands[at]!, 2 * row * input.width);
    row += (band.spec as AnySpec).input.height;
    return { ...band, operands };
  });
}

/** Panels of outputs: weights and bias begin further on, too. */
function splitDense(call: PlannedCall, parts: number): PlannedCall[] | undefined {
  const spec = call.spec as AnySpec;
  const panels = Math.ceil(Math.ceil(spec.outFeatures / PANEL) / parts);
  const step = panels * PANEL;
  if (step >= spec.outFeatures) return undefined;
  const calls: PlannedCall[] = [];
  for (let from = 0; from < spec.outFeatures; from += step) {
    const outFeatures = Math.min(step, spec.outFeatures - from);
    const [input, weight, ...rest] = call.operands as readonly Operand[];
    const shifted = [input!, shift(weight!, from * spec.inFeatures)];
    const bias = spec.bias ? [shift(rest[0]!, from)] : [];
    const output = shift(rest.at(-2)!, from);
    calls.push({ spec: { ...spec, outFeatures }, operands: [...shifted, ...bias, output, 'count'] });
  }
  return calls;
}

/** The call on a band: first operand the input, the last but one the output. */
function bandCall(call: PlannedCall, band: Band, changes: object): PlannedCall {
  const spec = call.spec as AnySpec;
  const [input, output] = [spec.input as View, spec.output as View];
  const operands = [...call.operands];
  operands[0] = shift(operands[0]!, band.inputFrom * input.rowStride);
  operands[operands.length - 2] = shift(operands.at(-2)!, band.from * output.rowStride);
  return {
    spec: {
      ...spec,
      input: { ...input, height: band.inputRows },
      output: { ...output, height: band.rows },
      ...changes,
    } as KernelSpec,
    operands,
  };
}

/** Bands of a multiple of `unit` rows each, or undefined where there would be only one. */
function bandsOf(w: VerticalWindow, parts: number, unit: number): Band[] | undefined {
  const height = Math.ceil(w.outHeight / parts / unit) * unit;
  if (height >= w.outHeight || height * w.stride < w.top) return undefined;
  const bands: Band[] = [];
  for (let from = 0; from < w.outHeight; from += height) {
    const rows = Math.min(height, w.outHeight - from);
    const top = from === 0 ? w.top : 0;
    const inputFrom = from * w.stride - w.top + top;
    const isLast = from + rows === w.outHeight;
    const inputRows = isLast ? w.inHeight - inputFrom : (rows - 1) * w.stride + w.extent - top;
    bands.push({ from, rows, inputFrom, inputRows, top, bottom: isLast ? w.bottom : 0 });
  }
  return bands;
}

function shift(operand: Operand, elements: number): Operand {
  const { buffer, offsetBytes } = operand as BufferRef;
  return { buffer, offsetBytes: offsetBytes + 4 * elements };
}

/**
 * The bits of the Winograd kernels: the steps that the matrices become, and the order of all sums, written out
 * once more without views, panels, blocks and scratch memory.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bindNested, type StepProgram, stepProgram } from '../../src/kernels/winograd-steps.ts';
import { F4_3, type Matrix, transpose, winogradMatrices } from '../../src/kernels/winograd-transforms.ts';
import { tileDivisors } from '../../src/kernels/winograd-weights.ts';
import { type ConvCase, check, convCases, type Domain } from '../helpers/arbitraries.ts';
import { assertSameBits } from '../helpers/exact.ts';
import { drawArrays } from '../helpers/oracle-checks.ts';
import { embed, extract, type ImageShape, rotateTaps } from '../helpers/placement.ts';
import { winogradPasses } from '../helpers/run-convolution.ts';

const f = Math.fround;

/** A program as text, registers named x0, x1, ... */
function written({ inputs, steps, outputs }: StepProgram): string[] {
  const operators = { add: '+', sub: '-', mul: '*' };
  const lines = steps.map((step, s) => {
    const right = step.op === 'mul' ? String(step.by) : `x${step.right}`;
    return `x${inputs + s} = x${step.left} ${operators[step.op]} ${right}`;
  });
  return [...lines, `y = ${outputs.map((register) => `x${register}`).join(' ')}`];
}

/** M X M^T of a tile, in f32. */
function nested(matrix: Matrix, tile: Float32Array): Float32Array {
  const to = new Float32Array(matrix.length ** 2);
  bindNested(stepProgram(matrix))(tile, to);
  return to;
}

/** Pixels around an image, more than any tile reaches. */
const RIM = 8;

/** Tiles of one channel, `size` wide and `step` apart, zeros around the images. */
function tilesOf(values: Float32Array, shape: ImageShape, c: number, size: number, step: number, grid: Grid) {
  const [count, height, width, channels] = shape;
  const large = { height: height + 2 * RIM, width: width + 2 * RIM };
  const padded = embed(values, shape, { ...large, top: RIM, left: RIM });
  return Array.from({ length: count * grid.rows * grid.columns }, (_, tile) => {
    const n = Math.floor(tile / grid.rows / grid.columns);
    const top = RIM + (Math.floor(tile / grid.columns) % grid.rows) * step - grid.top;
    const left = RIM + (tile % grid.columns) * step - grid.left;
    const image = padded.subarray(n * large.height * large.width * channels);
    const place = { ...large, top, left };
    return extract(image, [1, size, size, channels], place).filter((_, i) => i % channels === c);
  });
}

/** Rows and columns of tiles, and how far above and to the left of the image the first one begins. */
interface Grid {
  readonly rows: number;
  readonly columns: number;
  readonly top: number;
  readonly left: number;
}

const FITTING: Domain = { kernel: [3, 3], stride: 1, dilation: 1, groups: 1, inChannels: 5, outChannels: 5 };

for (const outputTile of [2, 4] as const) {
  const m = winogradMatrices(outputTile);
  const kernels = winogradPasses(outputTile);
  const divisors = tileDivisors(m);
  const divided = (tile: Float32Array) => tile.map((value, e) => value / divisors[e]!);

  /** V of every input channel, and the grid. */
  const transformed = ({ geometry: g, count }: ConvCase, input: Float32Array) => {
    const [rows, columns] = [Math.ceil(g.outHeight / outputTile), Math.ceil(g.outWidth / outputTile)];
    const grid = { rows, columns, top: g.padding.top, left: g.padding.left };
    const shape = [count, g.inHeight, g.inWidth, g.inChannels] as const;
    const v = Array.from({ length: g.inChannels }, (_, c) =>
      tilesOf(input, shape, c, m.tile, outputTile, grid).map((tile) => nested(m.inputMatrix, tile)),
    );
    return { v, grid };
  };

  describe(`F(${outputTile},3) in its documented order`, () => {
    it('forward: U, V, M over ascending channels, Y, bias', () => {
      check(convCases(FITTING), 60, (tried) => {
        const { geometry: g, count, flip } = tried;
        const { input, weight, bias } = drawArrays(tried);
        const { v, grid } = transformed(tried, input);
        const pairs = g.inChannels * g.outChannels;
        const taps = flip ? rotateTaps(weight, 9) : weight;
        const u = Array.from({ length: pairs }, (_, pair) =>
          divided(
            nested(
              m.weightMatrix,
              taps.filter((_, i) => i % pairs === pair),
            ),
          ),
        );
        const expected = new Float32Array(count * g.outHeight * g.outWidth * g.outChannels);
        for (let tile = 0; tile < v[0]!.length; tile++) {
          const n = Math.floor(tile / grid.rows / grid.columns);
          const top = (Math.floor(tile / grid.columns) % grid.rows) * outputTile;
          const left = (tile % grid.columns) * outputTile;
          for (let k = 0; k < g.outChannels; k++) {
            const sum = new Float32Array(m.tile ** 2);
            for (let c = 0; c < g.inChannels; c++) {
              const weights = u[c * g.outChannels + k]!;
              v[c]![tile]!.forEach((value, e) => {
                sum[e] = f(sum[e]! + f(value * weights[e]!));
              });
            }
            nested(m.outputMatrix, sum).forEach((value, i) => {
              const [y, x] = [top + Math.floor(i / outputTile), left + (i % outputTile)];
              if (y >= g.outHeight || x >= g.outWidth) return;
              expected[((n * g.outHeight + y) * g.outWidth + x) * g.outChannels + k] = f(value + bias[k]!);
            });
          }
        }
        assertSameBits(kernels.forward(g, input, weight, { ...tried, bias }), expected);
      });
    });

    it('weight gradient: one division of each gradient tile, sums over samples, tile rows and tile columns, G^T', () => {
      check(convCases(FITTING), 60, (tried) => {
        const { geometry: g, count, flip } = tried;
        const { input, gradOutput } = drawArrays(tried);
        const { v, grid } = transformed(tried, input);
        const shape = [count, g.outHeight, g.outWidth, g.outChannels] as const;
        const pairs = g.inChannels * g.outChannels;
        const expected = new Float32Array(9 * pairs);
        for (let k = 0; k < g.outChannels; k++) {
          const tiles = tilesOf(gradOutput, shape, k, outputTile, outputTile, { ...grid, top: 0, left: 0 });
          const transformedTiles = tiles.map((tile) => divided(nested(transpose(m.outputMatrix), tile)));
          for (let c = 0; c < g.inChannels; c++) {
            const sum = new Float32Array(m.tile ** 2);
            transformedTiles.forEach((values, tile) => {
              values.forEach((value, e) => {
                sum[e] = f(sum[e]! + f(v[c]![tile]![e]! * value));
              });
            });
            nested(transpose(m.weightMatrix), sum).forEach((value, tap) => {
              expected[tap * pairs + c * g.outChannels + k] = value;
            });
          }
        }
        const actual = kernels.weightGradient(g, input, gradOutput, tried);
        assertSameBits(actual, flip ? rotateTaps(expected, 9) : expected);
      });
    });
  });
}

describe('the steps of F(4,3)', () => {
  it('share what the points 1, -1 and 2, -2 have in common', () => {
    assert.deepEqual(written(stepProgram(F4_3.inputMatrix)), [
      'x6 = x0 * 4',
      'x7 = x2 * 5',
      'x8 = x6 - x7',
      'x9 = x8 + x4',
      'x10 = x2 * 4',
      'x11 = x4 - x10',
      'x12 = x1 * 4',
      'x13 = x3 - x12',
      'x14 = x11 + x13',
      'x15 = x11 - x13',
      'x16 = x4 - x2',
      'x17 = x3 - x1',
      'x18 = x17 * 2',
      'x19 = x16 + x18',
      'x20 = x16 - x18',
      'x21 = x1 * 4',
      'x22 = x3 * 5',
      'x23 = x21 - x22',
      'x24 = x23 + x5',
      'y = x9 x14 x15 x19 x20 x24',
    ]);
    assert.deepEqual(written(stepProgram(F4_3.outputMatrix)), [
      'x6 = x1 + x2',
      'x7 = x1 - x2',
      'x8 = x3 + x4',
      'x9 = x3 - x4',
      'x10 = x0 + x6',
      'x11 = x10 + x8',
      'x12 = x9 * 2',
      'x13 = x7 + x12',
      'x14 = x8 * 4',
      'x15 = x6 + x14',
      'x16 = x9 * 8',
      'x17 = x7 + x16',
      'x18 = x17 + x5',
      'y = x11 x13 x15 x18',
    ]);
  });
});

/**
 * The geometry of convolutions: sizes and halos judged by placing windows one by one (the numerics' item 7),
 * padding as Keras has it, and refusals with what was expected and found.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ConfigError, ShapeError } from '../../src/errors.ts';
import {
  type ConvGeometry,
  type ConvOptions,
  convGeometry,
  gradOutputHalo,
  inputHalo,
  multiplyAdds,
  outputExtent,
  samePadding,
  toPair,
  transposedGeometry,
  weightCount,
} from '../../src/tensor/convolution.ts';
import { check, convCases } from '../helpers/arbitraries.ts';

/** Places windows `stride` apart until one does not fit. */
function countWindows(length: number, size: number, stride: number, dilation: number): number {
  let count = 0;
  while (count * stride + dilation * (size - 1) < length) count++;
  return count;
}

const axis = fc.record({
  input: fc.integer({ min: 1, max: 12 }),
  size: fc.integer({ min: 1, max: 5 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 3 }),
  before: fc.nat(3),
  after: fc.nat(3),
});

describe('7: the output of a convolution', () => {
  it('has floor((i+p0+p1-d(k-1)-1)/s)+1 windows where one fits, less than 1 where none does', () => {
    check(axis, 1000, ({ input, size, stride, dilation, before, after }) => {
      const windows = countWindows(input + before + after, size, stride, dilation);
      const extent = outputExtent(input, size, stride, dilation, before, after);
      assert.equal(Math.max(0, extent), windows);
    });
  });

  it('is refused with a ShapeError exactly where no window fits', () => {
    check(fc.tuple(axis, axis), 500, ([y, x]) => {
      const build = () =>
        convGeometry('test', [y.input, x.input, 1], {
          filters: 1,
          kernelSize: [y.size, x.size],
          strides: [y.stride, x.stride],
          dilationRate: [y.dilation, x.dilation],
          padding: { top: y.before, bottom: y.after, left: x.before, right: x.after },
        });
      const [rows, columns] = [y, x].map((a) =>
        countWindows(a.input + a.before + a.after, a.size, a.stride, a.dilation),
      );
      if (rows === 0 || columns === 0) assert.throws(build, ShapeError);
      else assert.deepEqual([build().outHeight, build().outWidth], [rows, columns]);
    });
  });

  it("with 'same' has ceil(size/stride) windows, an odd pixel of padding at the bottom and right", () => {
    check(axis, 500, ({ input, size, stride, dilation }) => {
      const [before, after] = samePadding(input, size, stride, dilation);
      assert.equal(outputExtent(input, size, stride, dilation, before, after), Math.ceil(input / stride));
      assert.ok(after === before || after === before + 1);
      // No pixel more than needed.
      if (after > 0) {
        assert.ok(outputExtent(input, size, stride, dilation, before, after - 1) < Math.ceil(input / stride));
      }
    });
    const g = convGeometry('test', [32, 32, 3], { filters: 32, kernelSize: 3, strides: 2, padding: 'same' });
    assert.deepEqual(g.padding, { top: 0, right: 1, bottom: 1, left: 0 });
  });
});

/** Taps of all windows and all pixels, as extremes of the positions that a pass reads. */
function reach(positions: Iterable<readonly [number, number]>, height: number, width: number): number {
  let halo = 0;
  for (const [y, x] of positions) halo = Math.max(halo, -y, -x, y - (height - 1), x - (width - 1));
  return halo;
}

function* forwardReads(g: ConvGeometry): Generator<readonly [number, number]> {
  for (let oy = 0; oy < g.outHeight; oy++) {
    for (let ox = 0; ox < g.outWidth; ox++) {
      for (let ky = 0; ky < g.kernelHeight; ky++) {
        for (let kx = 0; kx < g.kernelWidth; kx++) {
          const y = oy * g.strideY + ky * g.dilationY - g.padding.top;
          yield [y, ox * g.strideX + kx * g.dilationX - g.padding.left];
        }
      }
    }
  }
}

/** Positions of gradOutput that are whole numbers of strides away: what the input gradient multiplies. */
function* backwardReads(g: ConvGeometry): Generator<readonly [number, number]> {
  for (let y = 0; y < g.inHeight; y++) {
    for (let x = 0; x < g.inWidth; x++) {
      for (let ky = 0; ky < g.kernelHeight; ky++) {
        for (let kx = 0; kx < g.kernelWidth; kx++) {
          const oy = (y + g.padding.top - ky * g.dilationY) / g.strideY;
          const ox = (x + g.padding.left - kx * g.dilationX) / g.strideX;
          if (Number.isInteger(oy) && Number.isInteger(ox)) yield [oy, ox];
        }
      }
    }
  }
}

describe('the halo', () => {
  it('of the input is exactly what the windows reach beyond the image', () => {
    check(convCases(), 300, ({ geometry: g }) => {
      assert.equal(inputHalo(g), reach(forwardReads(g), g.inHeight, g.inWidth));
    });
  });

  it("of the output's gradient covers all that the input gradient reads, and no more at stride 1", () => {
    check(convCases(), 300, ({ geometry: g }) => {
      assert.ok(gradOutputHalo(g) >= reach(backwardReads(g), g.outHeight, g.outWidth));
    });
    check(convCases({ stride: 1 }), 200, ({ geometry: g }) => {
      assert.equal(gradOutputHalo(g), reach(backwardReads(g), g.outHeight, g.outWidth));
    });
  });
});

describe('a geometry', () => {
  it('counts weights and multiply-adds', () => {
    check(convCases(), 100, ({ geometry: g }) => {
      const reads = [...forwardReads(g)].length;
      const inner = g.inChannels / g.groups;
      assert.equal(multiplyAdds(g), reads * inner * g.outChannels);
      assert.equal(weightCount(g) * g.outHeight * g.outWidth, multiplyAdds(g));
    });
    // The notebook's second layer: 9,216 weights (and 32 biases).
    const second = convGeometry('conv2d', [32, 32, 32], { filters: 32, kernelSize: 3, padding: 'same' });
    assert.equal(weightCount(second), 9216);
    assert.equal(multiplyAdds(second), 9216 * 1024);
  });

  it("defaults to strides, dilation and groups of 1 and to 'valid'", () => {
    const g = convGeometry('test', [5, 6, 2], { filters: 4, kernelSize: [2, 3] });
    assert.deepEqual(g, {
      inHeight: 5,
      inWidth: 6,
      inChannels: 2,
      outHeight: 4,
      outWidth: 4,
      outChannels: 4,
      kernelHeight: 2,
      kernelWidth: 3,
      strideY: 1,
      strideX: 1,
      dilationY: 1,
      dilationX: 1,
      padding: { top: 0, right: 0, bottom: 0, left: 0 },
      groups: 1,
    });
  });

  it('takes one number for both axes, or [vertical, horizontal]', () => {
    assert.deepEqual(toPair('test', 'strides', 2), [2, 2]);
    assert.deepEqual(toPair('test', 'strides', [2, 3]), [2, 3]);
    for (const wrong of [0, -1, 1.5, [1], [1, 2, 3], [1, 0], '2', Number.NaN]) {
      assert.throws(() => toPair('test', 'strides', wrong as never), ConfigError);
    }
  });

  it('refuses senseless options and says which', () => {
    const refuse = (change: Partial<Record<keyof ConvOptions, unknown>>, message: RegExp) => {
      const options = { filters: 4, kernelSize: 3, ...change } as ConvOptions;
      assert.throws(
        () => convGeometry('conv2d "conv2d_1"', [8, 8, 6], options),
        (error: Error) => {
          assert.ok(error instanceof ConfigError);
          assert.match(error.message, message);
          return true;
        },
      );
    };
    refuse({ filters: 0 }, /^conv2d "conv2d_1": filters: expected a positive integer, got 0$/);
    refuse({ filters: 2.5 }, /filters: .* got 2\.5/);
    refuse({ groups: 4 }, /groups: expected a divisor of 6 input channels and of 4 filters, got 4$/);
    refuse({ groups: 0 }, /groups: .* got 0/);
    refuse({ kernelSize: 0 }, /kernelSize: expected a positive integer or two of them, .* got 0$/);
    refuse({ strides: [1, -1] }, /strides: .* got \[1,-1\]$/);
    refuse({ dilationRate: 1.5 }, /dilationRate: .* got 1\.5$/);
    refuse({ padding: 'full' }, /padding: expected 'same', 'valid' or .* got "full"$/);
    refuse({ padding: { top: 1, right: 1, bottom: 1 } }, /padding: /);
    refuse({ padding: { top: -1, right: 0, bottom: 0, left: 0 } }, /padding: /);
    assert.throws(() => convGeometry('conv2d', [8, 8], { filters: 1, kernelSize: 3 }), ShapeError);
  });

  it('says how large an image the window needs', () => {
    assert.throws(() => convGeometry('conv2d', [4, 9, 1], { filters: 1, kernelSize: 3, dilationRate: 2 }), {
      name: 'ShapeError',
      message:
        'conv2d: input shape: expected an image of at least [5, 5] pixels with its padding, got [4, 9] ' +
        "(use padding: 'same' or a smaller kernelSize)",
    });
  });
});

describe('a transposed geometry', () => {
  it("with 'same' has stride times the input as its output", () => {
    check(fc.tuple(axis, axis), 200, ([y, x]) => {
      const g = transposedGeometry('test', [y.input, x.input, 2], {
        filters: 3,
        kernelSize: [y.size, x.size],
        strides: [y.stride, x.stride],
        dilationRate: [y.dilation, x.dilation],
        padding: 'same',
      });
      assert.deepEqual([g.inHeight, g.inWidth, g.inChannels], [y.input * y.stride, x.input * x.stride, 3]);
      assert.deepEqual([g.outHeight, g.outWidth, g.outChannels], [y.input, x.input, 2]);
    });
  });

  it('refuses an output padding that is not below the stride, and an output without a pixel', () => {
    const options = { filters: 1, kernelSize: 3, strides: 2 };
    const build = (change: object) => () => transposedGeometry('test', [4, 4, 1], { ...options, ...change });
    for (const outputPadding of [2, -1, 0.5, [0, 2] as const]) {
      assert.throws(build({ outputPadding }), ConfigError);
    }
    const padding = { top: 9, right: 0, bottom: 0, left: 0 };
    assert.throws(build({ padding }), {
      name: 'ShapeError',
      message: /output shape: expected at least one pixel/,
    });
  });
});

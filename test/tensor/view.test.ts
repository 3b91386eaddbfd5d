/** Views: which elements a batch of images with halo covers, judged by visiting every one of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { denseView, hasContiguousRows, type View, viewLead, viewSpan } from '../../src/tensor/view.ts';
import { check, slacks, slackView } from '../helpers/arbitraries.ts';

const sizes = fc.record({
  height: fc.integer({ min: 1, max: 5 }),
  width: fc.integer({ min: 1, max: 5 }),
  channels: fc.integer({ min: 1, max: 4 }),
  halo: fc.nat(2),
});

/** Every element of `count` images and their halo, relative to the origin, in the order of the axes. */
function elements(view: View, count: number): number[] {
  const { height, width, channels, halo } = view;
  const all: number[] = [];
  for (let n = 0; n < count; n++) {
    for (let y = -halo; y < height + halo; y++) {
      for (let x = -halo; x < width + halo; x++) {
        for (let c = 0; c < channels; c++) {
          all.push(n * view.imageStride + y * view.rowStride + x * view.pixelStride + c);
        }
      }
    }
  }
  return all;
}

describe('a view', () => {
  it('begins viewLead elements before its origin and ends viewSpan elements after it', () => {
    check(fc.tuple(sizes, slacks, fc.integer({ min: 1, max: 3 })), 200, ([size, slack, count]) => {
      const view = slackView(size.height, size.width, size.channels, size.halo, slack);
      const all = elements(view, count);
      assert.equal(viewLead(view), 0 - Math.min(...all));
      assert.equal(viewSpan(view, count) - 1, Math.max(...all));
    });
  });

  it('gives every pixel of every image, halo included, elements of its own', () => {
    check(fc.tuple(sizes, slacks), 100, ([size, slack]) => {
      const all = elements(slackView(size.height, size.width, size.channels, size.halo, slack), 3);
      assert.equal(new Set(all).size, all.length);
    });
  });

  it('of a buffer of its own fills it without gaps', () => {
    check(sizes, 100, ({ height, width, channels, halo }) => {
      const view = denseView(height, width, channels, halo);
      const all = elements(view, 2);
      assert.deepEqual(
        all,
        all.map((_, i) => i - viewLead(view)),
      );
      assert.ok(hasContiguousRows(view));
    });
  });

  it('of no images has no elements, and one of a channel slice no contiguous rows', () => {
    const view = denseView(4, 5, 6, 1);
    assert.equal(viewSpan(view, 0), 0);
    assert.ok(!hasContiguousRows({ ...view, channels: 2 }));
  });

  it('has no halo by default', () => {
    assert.deepEqual(denseView(4, 5, 6), {
      height: 4,
      width: 5,
      channels: 6,
      pixelStride: 6,
      rowStride: 30,
      imageStride: 120,
      halo: 0,
    });
  });
});

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { clearHaloFamily } from '../../src/kernels/clear-halo.ts';
import { heapOf } from '../../src/kernels/kernel.ts';
import { clearHaloTwin } from '../../src/kernels/simd/clear-halo.ts';
import { type View, viewLead, viewSpan } from '../../src/tensor/view.ts';
import { check, slackView } from '../helpers/arbitraries.ts';
import { assertTwin } from '../helpers/twin.ts';

const cases = fc
  .record({
    height: fc.integer({ min: 1, max: 5 }),
    width: fc.integer({ min: 1, max: 9 }),
    channels: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 30, max: 70 })),
    halo: fc.nat(3),
    gap: fc.constantFrom(0, 0, 1, 5),
    count: fc.nat(3),
    seed: fc.nat(2 ** 31 - 1),
  })
  .map(({ height, width, channels, halo, gap, ...rest }) => ({
    view: slackView(height, width, channels, halo, { halo: 0, gap }),
    ...rest,
  }));

/** Elements of the halo, seen from the origin. */
function haloElements(view: View, count: number): Set<number> {
  const { height, width, channels, halo } = view;
  const elements = new Set<number>();
  for (let n = 0; n < count; n++) {
    for (let y = -halo; y < height + halo; y++) {
      for (let x = -halo; x < width + halo; x++) {
        if (y >= 0 && y < height && x >= 0 && x < width) continue;
        const pixel = n * view.imageStride + y * view.rowStride + x * view.pixelStride;
        for (let c = 0; c < channels; c++) elements.add(pixel + c);
      }
    }
  }
  return elements;
}

test('clear halo makes exactly the halo +0 and leaves images and gaps', () => {
  check(cases, 100, ({ view, count }) => {
    const origin = 5 + viewLead(view);
    const heap = heapOf(new ArrayBuffer(8 * (origin + viewSpan(view, count) + 5)));
    heap.f32.fill(-1);
    clearHaloFamily.bind({ kind: 'clearHalo', view }, heap)(4 * origin, count);
    const halo = haloElements(view, count);
    heap.f32.forEach((value, i) => {
      assert.ok(Object.is(value, halo.has(i - origin) ? 0 : -1), `element ${i - origin} is ${value}`);
    });
  });
});

test('the twin of clear halo equals the scalar kernel', () => {
  check(cases, 60, ({ view, count, seed }) => {
    assertTwin(clearHaloFamily, clearHaloTwin, { kind: 'clearHalo', view }, { count, seed });
  });
});

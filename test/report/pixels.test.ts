import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import { crc32, inflateSync } from 'node:zlib';
import {
  encodePng,
  featureMapGrid,
  filterGrid,
  type Grid,
  gridHtml,
  gridSvg,
  imageRaster,
  normalizeFeatureMap,
  type Raster,
  VIRIDIS,
} from '../../src/report/index.ts';

const picture: Raster = { width: 3, height: 2, data: Uint8Array.from({ length: 18 }, (_, i) => 14 * i) };

describe('normalizeFeatureMap does what the notebook does', () => {
  test('mean 0, deviation 1, times 64, plus 128', () => {
    // Mean 2, deviation sqrt(2): (x - 2) / 1.414 * 64 + 128, cut off as astype('uint8') does.
    assert.deepEqual([...normalizeFeatureMap([0, 1, 2, 3, 4]).levels], [37, 82, 128, 173, 218]);
  });

  test('clips at 0 and 255', () => {
    const values = Array.from({ length: 100 }, (_, i) => (i === 0 ? 100 : i === 1 ? -100 : 0));
    const { levels } = normalizeFeatureMap(values);
    assert.deepEqual([levels[0], levels[1], levels[2]], [255, 0, 128]);
  });

  test('scale and offset of a map do not matter', () => {
    const values = [1, 5, 2, 8, 3, 3];
    const moved = values.map((value) => 4 * value - 64);
    assert.deepEqual(normalizeFeatureMap(moved), normalizeFeatureMap(values));
  });

  test('a map without deviation is dead, and so is one that is not finite', () => {
    assert.equal(normalizeFeatureMap([3, 3, 3]).dead, true);
    assert.equal(normalizeFeatureMap([0]).dead, true);
    assert.equal(normalizeFeatureMap([1, Number.NaN]).dead, true);
    assert.equal(normalizeFeatureMap([1, Number.POSITIVE_INFINITY]).dead, true);
    assert.equal(normalizeFeatureMap([1, 1 + 1e-7]).dead, false);
  });
});

describe('featureMapGrid', () => {
  /** Two maps of 2 x 2: one rises, one is constant. */
  const data = Float32Array.of(0, 7, 1, 7, 2, 7, 3, 7);

  test('crosses dead maps out and counts them', () => {
    const grid = featureMapGrid({ shape: [2, 2, 2], data });
    assert.equal(grid.subtitle, '2 maps of 2 x 2, 1 dead (crossed out)');
    assert.equal(grid.cells[1]!.raster, undefined);
    const levels = normalizeFeatureMap([0, 1, 2, 3]).levels;
    assert.deepEqual(
      [...grid.cells[0]!.raster!.data.subarray(0, 3)],
      [...VIRIDIS.subarray(3 * levels[0]!, 3 * levels[0]! + 3)],
    );
    assert.match(gridSvg(grid), /<path d="M[^"]*" stroke="#7f7f7f"/);
    assert.match(gridHtml(grid), /aria-label="[^"]*2 of 2: dead"/);
  });

  test('shows at most 24 maps in rows of 8, as the notebook does', () => {
    const grid = featureMapGrid({ shape: [1, 2, 30], data: Float32Array.from({ length: 60 }, (_, i) => i) });
    assert.equal(grid.cells.length, 24);
    assert.equal(grid.columns, 8);
    assert.match(grid.subtitle!, /^24 of 30 maps of 1 x 2/);
  });

  test('refuses what is no map', () => {
    assert.throws(
      () => featureMapGrid({ shape: [2, 2], data: new Float32Array(4) }),
      /featureMapGrid: activations: expected feature maps \[H, W, C\] of one image, got \[2, 2\] with 4/,
    );
  });
});

describe('viridis', () => {
  test('begins dark violet, is green in the middle and ends yellow', () => {
    const at = (level: number) => [...VIRIDIS.subarray(3 * level, 3 * level + 3)];
    assert.deepEqual(at(0), [0x44, 0x01, 0x54]);
    assert.deepEqual(at(128), [0x21, 0x91, 0x8c]);
    assert.deepEqual(at(255), [0xfd, 0xe7, 0x25]);
  });

  test('gets brighter with every level', () => {
    const luminance = Array.from({ length: 256 }, (_, i) => {
      const [r, g, b] = VIRIDIS.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    });
    // Bytes of a channel are rounded, so that neighbours may be a level apart the wrong way.
    for (let i = 4; i < 256; i++) assert.ok(luminance[i]! > luminance[i - 4]!, `level ${i}`);
  });
});

describe('imageRaster', () => {
  test('keeps bytes, repeats grey, drops alpha', () => {
    assert.deepEqual(imageRaster(picture.data, [2, 3, 3]), picture);
    assert.deepEqual([...imageRaster(Uint8Array.of(7, 9), [1, 2, 1]).data], [7, 7, 7, 9, 9, 9]);
    assert.deepEqual([...imageRaster(Uint8Array.of(1, 2, 3, 4), [1, 1, 4]).data], [1, 2, 3]);
  });

  test('stretches floats, and takes the middle where there is nothing to stretch', () => {
    assert.deepEqual([...imageRaster(Float32Array.of(-1, 0, 3), [1, 1, 3]).data], [0, 64, 255]);
    assert.deepEqual([...imageRaster(Float32Array.of(5), [1, 1, 1]).data], [128, 128, 128]);
    assert.throws(
      () => imageRaster(Float32Array.of(Number.NaN), [1, 1, 1]),
      /expected finite numbers, got NaN/,
    );
    assert.throws(
      () => imageRaster(new Uint8Array(5), [1, 2, 3]),
      /expected an image \[H, W, C\], got \[1, 2, 3\]/,
    );
  });
});

describe('filterGrid', () => {
  test('shows filters over three channels in colour around grey, scaled by the greatest weight', () => {
    // [1, 1, 3, 2]: filter 0 is (2, 0, -2), filter 1 is (0, 0, 0).
    const grid = filterGrid({ shape: [1, 1, 3, 2], data: Float32Array.of(2, 0, 0, 0, -2, 0) });
    assert.deepEqual([...grid.cells[0]!.raster!.data], [255, 128, 0]);
    assert.deepEqual([...grid.cells[1]!.raster!.data], [128, 128, 128]);
  });

  test('shows the mean of others from blue to red', () => {
    const grid = filterGrid({ shape: [1, 2, 2, 1], data: Float32Array.of(1, 1, -1, -1) });
    assert.deepEqual([...grid.cells[0]!.raster!.data], [178, 24, 43, 33, 102, 172]);
    assert.match(grid.subtitle!, /1 filters of 1 x 2, means over 2 input channels/);
    assert.throws(() => filterGrid({ shape: [2], data: new Float32Array(2) }), /weights \[kh, kw, in, out\]/);
  });
});

/** The chunks of a PNG file, their checksums checked. */
function chunks(file: Uint8Array): { type: string; body: Buffer }[] {
  const bytes = Buffer.from(file);
  const found: { type: string; body: Buffer }[] = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const typed = bytes.subarray(at + 4, at + 8 + length);
    assert.equal(bytes.readUInt32BE(at + 8 + length), crc32(typed));
    found.push({ type: typed.toString('latin1', 0, 4), body: typed.subarray(4) });
    at += 12 + length;
  }
  return found;
}

describe('encodePng', () => {
  test('writes a header, the rows, and an end', () => {
    const [header, data, end] = chunks(encodePng(picture));
    assert.deepEqual([header!.type, data!.type, end!.type], ['IHDR', 'IDAT', 'IEND']);
    assert.deepEqual([...header!.body], [0, 0, 0, 3, 0, 0, 0, 2, 8, 2, 0, 0, 0]);
    const rows = inflateSync(data!.body);
    assert.deepEqual([...rows], [0, ...picture.data.subarray(0, 9), 0, ...picture.data.subarray(9)]);
  });

  test('is read back by sharp', async (t) => {
    const sharp = await import('sharp').catch(() => undefined);
    if (sharp === undefined) return t.skip('sharp is not installed');
    const { data, info } = await sharp
      .default(encodePng(picture))
      .raw()
      .toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, info.channels], [3, 2, 3]);
    assert.deepEqual(Uint8Array.from(data), picture.data);
  });
});

describe('a grid', () => {
  const grid: Grid = {
    title: 'a < b',
    cells: [{ raster: picture, caption: ['<script>alert("x")</script>', 'cat & dog \u0000\ud800'] }, {}],
  };

  test('leaves no markup of captions as markup, in SVG and in HTML', () => {
    for (const text of [gridSvg(grid), gridHtml(grid)]) {
      assert.doesNotMatch(text, /<script/);
      assert.match(text, /&lt;script/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there.
      assert.doesNotMatch(text, /[\u0000\ud800]/);
    }
    assert.match(gridSvg(grid), /a &lt; b/);
  });

  test('keeps the shape of its pictures, and is white or transparent', () => {
    assert.match(gridSvg(grid), /<image [^>]*width="64" height="42\.66/);
    assert.match(gridSvg(grid), /fill="#ffffff"/);
    assert.doesNotMatch(gridSvg(grid, { surface: 'page' }), /#ffffff/);
    assert.match(gridSvg(grid, { surface: 'page' }), /fill="currentColor"/);
  });

  test('of no cells is an empty picture', () => {
    assert.match(gridSvg({ cells: [] }), /^<svg .*<\/svg>\n$/);
    assert.equal(gridHtml({ cells: [] }), '<div class="grid"></div>');
  });
});

test('a photograph is stored as small as it is shown, twice as sharp; small pictures are left as they are', () => {
  const photograph: Raster = { width: 1000, height: 500, data: new Uint8Array(1_500_000).fill(90) };
  for (const draw of [gridHtml, gridSvg]) {
    const text = draw({ cells: [{ raster: photograph }, { raster: picture }], cellWidth: 64 });
    const sizes = [...text.matchAll(/base64,([^"]+)/g)].map(([, base64]) => {
      const file = Buffer.from(base64!, 'base64');
      return [file.readUInt32BE(16), file.readUInt32BE(20)];
    });
    assert.deepEqual(sizes, [
      [128, 64],
      [3, 2],
    ]);
  }
});

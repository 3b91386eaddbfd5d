/**
 * Pictures under fire: JPEG, PNG and WebP with changed bytes, cut short, or with another size declared. What comes
 * back is a picture of as many bytes as it has pixels, or an error of ours.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadSharp } from '../../src/data/images/sharp.ts';
import { DataError, decodeImage } from '../../src/index.ts';
import { changeBytes } from './fuzz/bytes.ts';
import { guard } from './fuzz/guard.ts';
import { withDeclaredSize } from './fuzz/picture-sizes.ts';
import { EDGE_NUMBERS, type Random, randomOf } from './fuzz/random.ts';
import { type Soak, trialSeed } from './soak.ts';

const [WIDTH, HEIGHT] = [29, 23];

/** One of every kind: interlaced, with a palette, of 16 bits, turned, transparent, lossless, ... */
async function goodPictures(): Promise<Uint8Array[]> {
  const sharp = await loadSharp();
  const data = Uint8Array.from({ length: WIDTH * HEIGHT * 4 }, (_, i) => (i * 7919 + (i >> 5) * 31) % 256);
  const image = () => sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 4 } });
  const opaque = () => image().removeAlpha();
  const kinds = [
    opaque().jpeg(),
    opaque().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }),
    opaque().toColourspace('cmyk').jpeg(),
    opaque().grayscale().withMetadata({ orientation: 6 }).jpeg(),
    opaque().png(),
    opaque().png({ progressive: true }),
    image().png({ palette: true }),
    image().toColourspace('rgb16').png(),
    opaque().webp(),
    image().webp({ lossless: true }),
    image().webp({ nearLossless: true, alphaQuality: 50 }),
  ];
  return Promise.all(kinds.map(async (kind) => new Uint8Array(await kind.toBuffer())));
}

const SIDES = [...EDGE_NUMBERS.filter((side) => side > 0 && side < 2 ** 32), 4000, 8191, 8192, 8193, 16_383];

function changed(random: Random, picture: Uint8Array): Uint8Array {
  let bytes = picture;
  if (random.chance(0.3)) {
    const sides = [random.pick(SIDES), random.chance(0.5) ? random.pick(SIDES) : HEIGHT] as const;
    bytes = withDeclaredSize(bytes, ...(random.chance(0.5) ? sides : ([sides[1], sides[0]] as const)));
    if (random.chance(0.6)) return bytes;
  }
  // Half of the changes fall on headers and tables.
  bytes = changeBytes(random, bytes, 700);
  return random.chance(0.25) ? changeBytes(random, bytes, 60) : bytes;
}

export const fuzzImages: Soak = {
  name: 'fuzz-images',
  claim: 'JPEG, PNG and WebP: a picture of its size or a DataError, within 1 s and 256 MB',
  unit: 'inputs',
  count: 100_000,
  async start({ seed, folder }) {
    const pictures = await goodPictures();
    const file = path.join(folder, 'picture');
    return {
      trial(index) {
        const random = randomOf(trialSeed(seed, index));
        writeFileSync(file, changed(random, random.pick(pictures)));
        const channels = random.pick([1, 3] as const);
        return guard(
          () => decodeImage(file, { channels }),
          (reading) => {
            if ('error' in reading) {
              assert.ok(reading.error instanceof DataError, reading.error.name);
              return;
            }
            const { width, height, data, channels: found } = reading.value;
            assert.equal(found, channels);
            assert.ok(width > 0 && height > 0 && width * height <= 67_108_864, `${width} x ${height}`);
            assert.equal(data.length, width * height * channels);
          },
        );
      },
    };
  },
};

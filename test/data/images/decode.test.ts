import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { withDeclaredSize } from '../../../scripts/soak/fuzz/picture-sizes.ts';
import { loadSharp } from '../../../src/data/images/sharp.ts';
import { DataError, decodeImage, FileError } from '../../../src/index.ts';
import { pngBomb, writePicture, writeTruncated } from '../../helpers/pictures.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const folder = temporaryFolder();
const place = (name: string) => path.join(folder, name);
const sharp = await loadSharp();

/** Writes raw bytes as a PNG, which loses nothing. */
async function png(name: string, bytes: readonly number[], width: number, channels: 1 | 2 | 3 | 4) {
  const raw = { width, height: bytes.length / width / channels, channels } as const;
  await sharp(Uint8Array.from(bytes), { raw }).png().toFile(place(name));
  return place(name);
}

describe('pictures', () => {
  test('come as RGB bytes, row by row', async () => {
    const bytes = [255, 0, 0, 0, 255, 0, 1, 2, 3, 4, 5, 6];
    const found = await decodeImage(await png('rgb.png', bytes, 2, 3));
    assert.deepEqual({ ...found, data: [...found.data] }, { width: 2, height: 2, channels: 3, data: bytes });
  });

  test('in grey become RGB, and RGB becomes grey if asked', async () => {
    const grey = await decodeImage(await png('grey.png', [0, 100, 255], 3, 1));
    assert.deepEqual([...grey.data], [0, 0, 0, 100, 100, 100, 255, 255, 255]);
    const file = await png('colours.png', [255, 0, 0, 0, 255, 0, 0, 0, 255], 3, 3);
    const { data, channels } = await decodeImage(file, { channels: 1 });
    assert.deepEqual([channels, ...data], [1, 76, 150, 29]);
  });

  test('with transparency are laid on white', async () => {
    const file = await png('clear.png', [10, 20, 30, 255, 10, 20, 30, 0, 0, 0, 0, 128], 3, 4);
    assert.deepEqual([...(await decodeImage(file)).data], [10, 20, 30, 255, 255, 255, 127, 127, 127]);
    const grey = await png('clear-grey.png', [0, 0, 50, 255], 2, 2);
    assert.deepEqual([...(await decodeImage(grey)).data], [255, 255, 255, 50, 50, 50]);
  });

  test('of 16 bits a channel become 8', async () => {
    const raw = { width: 2, height: 1, channels: 3 } as const;
    const words = Uint16Array.from([0, 0x8000, 0xffff, 0x1234, 0x00ff, 0x0100]);
    await sharp(words, { raw }).toColourspace('rgb16').png().toFile(place('deep.png'));
    assert.deepEqual([...(await decodeImage(place('deep.png'))).data], [0, 128, 255, 0x12, 0, 1]);
  });

  test('are turned upright', async () => {
    const raw = { width: 3, height: 2, channels: 3 } as const;
    const upright = sharp(new Uint8Array(18).fill(90), { raw });
    await upright.withMetadata({ orientation: 6 }).jpeg().toFile(place('turned.jpg'));
    const { width, height } = await decodeImage(place('turned.jpg'));
    assert.deepEqual([width, height], [2, 3]);
  });

  test('of all three formats are read, whatever the name says', async () => {
    for (const kind of ['jpg', 'png', 'webp']) {
      await writePicture(place(`any.${kind}`), { width: 9, height: 5 });
      const { width, height } = await decodeImage(place(`any.${kind}`));
      assert.deepEqual([width, height], [9, 5]);
    }
  });
});

describe('what is no whole picture is refused', () => {
  async function refused(name: string, bytes: Uint8Array | string, message: RegExp) {
    writeFileSync(place(name), bytes);
    await assert.rejects(
      decodeImage(place(name)),
      (error) =>
        error instanceof DataError && message.test(error.message) && error.message.includes(place(name)),
    );
  }

  test('text, SVG, nothing', async () => {
    await refused('text.jpg', 'hello', /expected a JPEG, PNG or WebP file, got other content/);
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
    await refused('drawing.png', svg, /expected a JPEG, PNG or WebP file/);
    await refused('empty.png', '', /got an empty file/);
  });

  test('halves of files', async () => {
    for (const kind of ['jpg', 'png', 'webp']) {
      await writeTruncated(place(`half.${kind}`));
      await assert.rejects(decodeImage(place(`half.${kind}`)), /expected a whole, undamaged picture, got/);
    }
  });

  test('bombs: small files that claim to be huge', async () => {
    await refused('bomb.png', pngBomb(60_000, 60_000), /expected at most 67,108,864 pixels, got more/);
    await writePicture(place('large.png'), { width: 40, height: 26 });
    await assert.rejects(decodeImage(place('large.png'), { maxPixels: 1000 }), /at most 1,000 pixels/);
    await decodeImage(place('large.png'), { maxPixels: 1040 });
  });

  test('JPEGs that claim more pixels than their bytes can hold', async () => {
    await sharp(new Uint8Array(4 * 24 * 16).fill(77), { raw: { width: 24, height: 16, channels: 4 } })
      .toColourspace('cmyk')
      .jpeg()
      .toFile(place('cmyk.jpg'));
    const bytes = withDeclaredSize(readFileSync(place('cmyk.jpg')), 4000, 8192);
    await refused(
      'claims.jpg',
      bytes,
      /at most [\d,]+ pixels, all that a JPEG of \d+ bytes can hold, got more$/,
    );
    // As few bytes as there can be, nearly: one colour, codes made for it.
    const flat = sharp({ create: { width: 6000, height: 4000, channels: 3, background: '#345' } });
    await flat.jpeg({ mozjpeg: true }).toFile(place('flat.jpg'));
    assert.equal((await decodeImage(place('flat.jpg'))).width, 6000);
  });

  test('folders, pipes, and files that are not there', async () => {
    mkdirSync(place('folder.png'));
    const fails = (name: string, message: RegExp) =>
      assert.rejects(
        decodeImage(place(name)),
        (error) => error instanceof FileError && message.test(error.message),
      );
    await fails('folder.png', /expected a file that can be read, got a folder/);
    await fails('missing.png', /got ENOENT/);
    if (process.platform !== 'win32') {
      spawnSync('mkfifo', [place('pipe.png')]);
      await fails('pipe.png', /got something that is no file/);
    }
  });
});

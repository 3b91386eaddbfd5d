/**
 * The paper's figure 2.4: what filter kernels do to a picture, here one that the program draws.
 *
 *     npx node examples/kernel-gallery.ts [FILE.png]
 *
 * Each kernel becomes the weights of a depthwise convolution, which applies it to red, green and blue alone. Results
 * are cut off at 0 and 255 for display, as in the figure. Writing the PNG needs the package sharp.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { conv2d, sequential } from 'faltung';
import { type GridCell, gridSvg, imageRaster, svgToPng } from 'faltung/report';
import { drawScene } from './drawing.ts';

const SIZE = 128;

const kernels: readonly (readonly [name: string, kernel: readonly number[]])[] = [
  ['Identity', [0, 0, 0, 0, 1, 0, 0, 0, 0]],
  ['Sobel (left)', [-1, 0, 1, -2, 0, 2, -1, 0, 1]],
  ['Sobel (right)', [1, 0, -1, 2, 0, -2, 1, 0, -1]],
  ['Edges', [-1, -1, -1, -1, 8, -1, -1, -1, -1]],
  ['Blur', [1, 2, 1, 2, 4, 2, 1, 2, 1].map((value) => value / 16)],
  ['Sharpen', [0, -1, 0, -1, 5, -1, 0, -1, 0]],
];

const image = Float32Array.from(drawScene(SIZE));
await using model = sequential({ inputShape: [SIZE, SIZE, 3] }, [
  // Nothing is padded: a border of zeros would be seen as an edge.
  conv2d({ name: 'filter', filters: 3, kernelSize: 3, groups: 3, useBias: false }),
]);

const cells: GridCell[] = [];
for (const [name, kernel] of kernels) {
  // Weights [3, 3, 1, 3]: the three channels' copies of a kernel's number lie side by side.
  model.setWeights({ 'filter/weight': kernel.flatMap((value) => [value, value, value]) });
  const { shape, data } = await model.predict(image);
  const bytes = Uint8Array.from(data, (value) => Math.min(255, Math.max(0, Math.round(value))));
  cells.push({ raster: imageRaster(bytes, shape.slice(1)), caption: [name, matrixText(kernel)] });
}

const file = process.argv[2] ?? 'runs/kernel-gallery.png';
await mkdir(path.dirname(file), { recursive: true });
await writeFile(
  file,
  await svgToPng(gridSvg({ title: 'Filter kernels', cells, columns: 3, cellWidth: 220 })),
);
console.log(`Written: ${file}`);

/** Rows apart, such as "0 0 0 | 0 1 0 | 0 0 0"; sixteenths in front. */
function matrixText(kernel: readonly number[]): string {
  const scale = kernel.every(Number.isInteger) ? 1 : 16;
  const rows = [0, 3, 6].map((start) =>
    kernel
      .slice(start, start + 3)
      .map((value) => value * scale)
      .join(' '),
  );
  return `${scale === 1 ? '' : `1/${scale} · `}${rows.join(' | ').replaceAll('-', '−')}`;
}

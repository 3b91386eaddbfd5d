/** Grids of small pictures with captions, as SVG. */
import { FONT, type Surface } from './look.ts';
import { pngDataUri } from './png.ts';
import { type Raster, shrunkRaster } from './raster.ts';

/** A picture in its place. */
export interface GridCell {
  /** Without one, the cell is drawn as empty: crossed out. */
  readonly raster?: Raster;
  /** Lines below it; the first is in bold where there are several. */
  readonly caption?: readonly string[];
  /** A coloured edge. */
  readonly edge?: string;
}

/** How a grid is laid out; all have defaults. */
export interface GridOptions {
  readonly title?: string;
  /** Cells a row. */
  readonly columns?: number;
  /** Width of a cell's picture, in units of the SVG; the height follows from the pictures. */
  readonly cellWidth?: number;
}

/** A grid of pictures: plain data, to be drawn by `gridSvg` or `gridHtml`. */
export interface Grid extends GridOptions {
  readonly subtitle?: string;
  readonly cells: readonly GridCell[];
}

const GAP = 6;
const LINE = 13;
const MARGIN = 14;
const EDGE = 2.5;

/** The cells row by row, 10 a row and 64 wide by default. Pixels are drawn as squares. */
export function gridSvg(grid: Grid, options: { readonly surface?: Surface } = {}): string {
  const { cells, title, subtitle, columns: most = 10, cellWidth = 64 } = grid;
  const { surface = 'white' } = options;
  const columns = Math.max(1, Math.min(most, cells.length));
  const cellHeight = cellWidth * aspectOf(cells);
  const lines = Math.max(0, ...cells.map(({ caption }) => caption?.length ?? 0));
  const pitch = { x: cellWidth + GAP, y: cellHeight + lines * LINE + (lines > 0 ? GAP + 3 : GAP) };
  const margin = surface === 'white' ? MARGIN : EDGE;
  const top = margin + (title === undefined ? 0 : 24) + (subtitle === undefined ? 0 : 18);
  const heading = [
    ...(title === undefined ? [] : [text(margin, margin + 14, title, { size: 15, bold: true })]),
    ...(subtitle === undefined
      ? []
      : [text(margin, margin + (title === undefined ? 10 : 33), subtitle, { faint: true })]),
  ];
  const words = Math.max(0.58 * 15 * (title?.length ?? 0), 0.52 * 11 * (subtitle?.length ?? 0));
  const width = Math.ceil(2 * margin + Math.max(columns * pitch.x - GAP, words));
  const height = Math.ceil(top + Math.ceil(cells.length / columns) * pitch.y - GAP + margin);
  const drawn = cells.map((cell, i) => {
    const [x, y] = [margin + (i % columns) * pitch.x, top + Math.floor(i / columns) * pitch.y];
    return drawCell(cell, x, y, cellWidth, cellHeight);
  });
  const paper = surface === 'white' ? `<rect width="${width}" height="${height}" fill="#ffffff"/>` : '';
  const ink = surface === 'white' ? '#333333' : 'currentColor';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}" fill="${ink}">${paper}${[...heading, ...drawn].join('')}</svg>\n`;
}

/** The cells as HTML that wraps: for pages that are narrow, too. Title and subtitle are left to the page. */
export function gridHtml({ cells, title, cellWidth = 64 }: Grid): string {
  const height = Math.round(cellWidth * aspectOf(cells));
  const figures = cells.map(({ raster, caption = [], edge }, i) => {
    const words = caption.map(escapeMarkup);
    const place = `${title === undefined ? '' : `${escapeMarkup(title)}, `}${i + 1} of ${cells.length}`;
    const said = words.filter((line) => line !== '').join(', ') || place;
    const size = `width="${cellWidth}" height="${height}"`;
    const outline = edge === undefined ? '' : ` style="outline:2px solid ${edge}"`;
    const picture =
      raster === undefined
        ? `<svg class="dead" ${size} viewBox="0 0 1 1" preserveAspectRatio="none" role="img" aria-label="${said}: dead"><path d="M0 0L1 1M1 0L0 1"/></svg>`
        : `<img ${size} alt="${said}"${outline} src="${pngDataUri(thumbnail(raster, cellWidth))}">`;
    return `<figure style="width:${cellWidth}px">${picture}${words.length === 0 ? '' : `<figcaption>${words.join('<br>')}</figcaption>`}</figure>`;
  });
  return `<div class="grid">${figures.join('')}</div>`;
}

/** Pixels of a picture a unit of its cell, at most: for screens with two pixels a unit. */
const SHARPNESS = 2;

function thumbnail(raster: Raster, cellWidth: number): Raster {
  return shrunkRaster(raster, Math.ceil(SHARPNESS * cellWidth));
}

/** Height over width of the first picture. */
function aspectOf(cells: readonly GridCell[]): number {
  const first = cells.find(({ raster }) => raster !== undefined)?.raster;
  return first === undefined ? 1 : first.height / first.width;
}

function drawCell(cell: GridCell, x: number, y: number, width: number, height: number): string {
  const { raster, caption = [], edge } = cell;
  const place = `x="${x}" y="${y}" width="${width}" height="${height}"`;
  const picture =
    raster === undefined
      ? `<rect ${place} fill="#7f7f7f" fill-opacity="0.25"/><path d="M${x} ${y}l${width} ${height}m0 ${-height}l${-width} ${height}" stroke="#7f7f7f" stroke-width="1" fill="none"/>`
      : `<image ${place} preserveAspectRatio="none" image-rendering="optimizeSpeed" style="image-rendering:pixelated" href="${pngDataUri(thumbnail(raster, width))}"/>`;
  const frame =
    edge === undefined ? '' : `<rect ${place} fill="none" stroke="${edge}" stroke-width="${EDGE}"/>`;
  const words = caption.map((line, i) =>
    text(x, y + height + LINE * (i + 1), clipped(line, width), { bold: i === 0 && caption.length > 1 }),
  );
  return picture + frame + words.join('');
}

interface TextStyle {
  readonly size?: number;
  readonly bold?: boolean;
  readonly faint?: boolean;
}

function text(x: number, y: number, content: string, { size = 11, bold = false, faint = false }: TextStyle) {
  const weight = bold ? ' font-weight="bold"' : '';
  const opacity = faint ? ' fill-opacity="0.8"' : '';
  return `<text x="${x}" y="${y}" font-size="${size}"${weight}${opacity}>${escapeMarkup(content)}</text>`;
}

/** As much of a caption as fits below its picture. */
function clipped(line: string, width: number): string {
  const most = Math.max(3, Math.floor(width / (0.53 * 11)));
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}

/** Text for HTML and XML, attributes included; what XML cannot hold is left out. */
export function escapeMarkup(content: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return content
    .replaceAll(/[^\P{Cc}\t\n\r]|[\p{Cs}\ufffe\uffff]/gu, '')
    .replaceAll(/[&<>"']/g, (character) => entities[character]!);
}

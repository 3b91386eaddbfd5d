/**
 * Draws without a browser: Vega-Lite specifications as SVG (packages vega and vega-lite), SVG as PNG (sharp). The
 * packages are optional and loaded at the first use.
 */
import { ConfigError } from '../errors.ts';
import { look, type Spec, type Surface } from './look.ts';

export interface RenderOptions {
  /**
   * 'white' (default): a page of its own; 'page': transparent, in the colour of the text around it, for SVG that
   * stands in a page.
   */
  readonly surface?: Surface;
}

/** Width of an average letter, of the font's size. */
const LETTER = 0.54;

/**
 * A Vega-Lite specification (plain data, such as `trainingCurves` makes it) as SVG. Equal specifications give equal
 * text. Throws ConfigError where vega or vega-lite is not installed.
 */
export async function renderSvg(spec: Spec, options: RenderOptions = {}): Promise<string> {
  const [vega, vegaLite] = await Promise.all([
    installed('renderSvg', 'vega', () => import('vega')),
    installed('renderSvg', 'vega-lite', () => import('vega-lite')),
  ]);
  // Without a canvas Vega takes a letter to be 0.8 of the font's size wide, which leaves gaps beside labels.
  const metrics = vega as unknown as { textMetrics: { width: unknown } };
  metrics.textMetrics.width = ({ fontSize = 11 }: { fontSize?: number }, text: unknown) =>
    LETTER * fontSize * [text].flat().join('').length;
  const complete = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    config: look(options.surface),
    ...spec,
  } as unknown as Parameters<typeof vegaLite.compile>[0];
  const view = new vega.View(vega.parse(vegaLite.compile(complete).spec), { renderer: 'none' });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}

export interface PngOptions {
  /** Pixels a unit of the SVG. Default 2. */
  readonly scale?: number;
}

/** An SVG as PNG. Throws ConfigError where sharp is not installed or the scale makes no sense. */
export async function svgToPng(svg: string, options: PngOptions = {}): Promise<Uint8Array> {
  const { scale = 2 } = options;
  if (!(scale > 0 && scale <= 16)) {
    const expected = 'a number above 0, at most 16';
    throw new ConfigError({ operation: 'svgToPng', argument: 'scale', expected, received: String(scale) });
  }
  const { default: sharp } = await installed('svgToPng', 'sharp', () => import('sharp'));
  return sharp(Buffer.from(svg), { density: 72 * scale })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** Loads an optional package. Throws ConfigError that says how to get it. */
export async function installed<T>(operation: string, name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new ConfigError(
      {
        operation,
        argument: 'packages',
        expected: `${name} to be installed`,
        received: cause instanceof Error ? (cause.message.split('\n')[0] ?? cause.name) : String(cause),
        hint: `npm install ${name}`,
      },
      { cause },
    );
  }
}

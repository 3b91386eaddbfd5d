/** Draws a Vega-Lite specification as SVG, without a browser. */
import { LOOK, type Spec } from './palette.ts';

/** The SVG's text. Throws an Error that says how to install what draws it. */
export async function renderSvg(spec: Spec): Promise<string> {
  const [vega, vegaLite] = await Promise.all(['vega', 'vega-lite'].map(installed));
  // Without a canvas Vega takes a letter to be 0.8 of the font's size wide, which leaves gaps beside labels.
  vega.textMetrics.width = ({ fontSize = 11 }: { fontSize?: number }, text: unknown) =>
    0.54 * fontSize * [text].flat().join('').length;
  const complete = { $schema: 'https://vega.github.io/schema/vega-lite/v6.json', config: LOOK, ...spec };
  const view = new vega.View(vega.parse(vegaLite.compile(complete).spec), { renderer: 'none' });
  const svg: string = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}

// biome-ignore lint/suspicious/noExplicitAny: the root has no types of packages that are installed here only.
async function installed(name: string): Promise<any> {
  try {
    return await import(name);
  } catch (cause) {
    throw new Error(`${name} is missing: run "npm ci" in bench/plots`, { cause });
  }
}

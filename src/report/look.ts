/** How all pictures look: readable on a white and on a dark page, colours that colour-blind eyes tell apart. */

/** Okabe and Ito (2008), without yellow and black. */
export const COLOURS = {
  blue: '#0072b2',
  orange: '#e69f00',
  green: '#009e73',
  red: '#d55e00',
  purple: '#cc79a7',
  sky: '#56b4e9',
  grey: '#7f7f7f',
} as const;

/** Training and validation, everywhere. */
export const SERIES = { training: COLOURS.blue, validation: COLOURS.red } as const;

/** On a page of its own, or in the text's colour on the background of the page that holds it. */
export type Surface = 'white' | 'page';

interface Inks {
  readonly background: string | null;
  readonly text: string;
  readonly faint: string;
  readonly line: string;
  readonly grid: string;
  readonly gridOpacity: number;
  /** From 0 to 100%. */
  readonly shades: readonly string[];
}

const INKS: Readonly<Record<Surface, Inks>> = {
  white: {
    background: '#ffffff',
    text: '#333333',
    faint: '#555555',
    line: '#999999',
    grid: '#e8e8e8',
    gridOpacity: 1,
    shades: ['#f1f6fb', '#9cc7e6', '#3f93c9', '#0b5c94', '#06395f'],
  },
  page: {
    background: null,
    text: 'currentColor',
    faint: 'currentColor',
    line: 'currentColor',
    grid: 'currentColor',
    gridOpacity: 0.12,
    // Nothing is the page itself, be it white or black; white numbers can be read from the middle on.
    shades: [0.07, 0.38, 0.82, 0.94, 1].map((opacity) => `rgba(11,92,148,${opacity})`),
  },
};

/** Vega-Lite's configuration. */
export function look(surface: Surface = 'white') {
  const ink = INKS[surface];
  return {
    background: ink.background,
    padding: surface === 'white' ? 14 : 4,
    font: FONT,
    title: {
      anchor: 'start',
      fontSize: 15,
      subtitleFontSize: 11.5,
      subtitleColor: ink.faint,
      offset: 12,
      color: ink.text,
    },
    axis: {
      labelFontSize: 11,
      labelLimit: 400,
      labelColor: ink.text,
      titleFontSize: 11.5,
      titleFontWeight: 'normal',
      titleColor: ink.text,
      gridColor: ink.grid,
      gridOpacity: ink.gridOpacity,
      domainColor: ink.line,
      tickColor: ink.line,
    },
    legend: {
      labelFontSize: 11,
      labelColor: ink.text,
      titleFontSize: 11.5,
      titleFontWeight: 'normal',
      titleColor: ink.text,
      symbolSize: 90,
      labelLimit: 400,
    },
    header: {
      labelFontSize: 12.5,
      labelFontWeight: 'bold',
      labelColor: ink.text,
      titleFontSize: 12,
      titleColor: ink.text,
      labelAnchor: 'start',
    },
    text: { fontSize: 11, color: ink.text },
    rule: { color: ink.line },
    view: { stroke: null },
    range: { heatmap: [...ink.shades] },
  } as const;
}

export const FONT = 'Helvetica, Arial, sans-serif';

/** A Vega-Lite specification: plain data. */
export type Spec = Record<string, unknown>;

/** Title and subtitles above a picture. */
export function heading(text: string, subtitle: readonly string[] = []): Spec {
  return { text, subtitle: [...subtitle] };
}

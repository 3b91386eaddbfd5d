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

/** Vega-Lite's configuration. */
export const LOOK = {
  background: '#ffffff',
  padding: 14,
  font: 'Helvetica, Arial, sans-serif',
  title: { anchor: 'start', fontSize: 15, subtitleFontSize: 11.5, subtitleColor: '#555555', offset: 12 },
  axis: {
    labelFontSize: 11,
    labelLimit: 400,
    titleFontSize: 11.5,
    titleFontWeight: 'normal',
    gridColor: '#e8e8e8',
    domainColor: '#999999',
    tickColor: '#999999',
  },
  legend: {
    labelFontSize: 11,
    titleFontSize: 11.5,
    titleFontWeight: 'normal',
    symbolSize: 90,
    labelLimit: 400,
  },
  header: { labelFontSize: 12.5, labelFontWeight: 'bold', titleFontSize: 12, labelAnchor: 'start' },
  text: { fontSize: 11, color: '#333333' },
  view: { stroke: null },
} as const;

/** A Vega-Lite specification: plain data. */
export type Spec = Record<string, unknown>;

/** Title and subtitles above a picture. */
export function heading(text: string, subtitle: readonly string[]): Spec {
  return { text, subtitle: [...subtitle] };
}

/** The page around a report: one file, no script, nothing from a network; light, dark, narrow, and on paper. */
import { escapeMarkup } from './grid.ts';
import { COLOURS } from './look.ts';

/** A part of a page. `html` is trusted: whatever comes from names or files has gone through `escapeMarkup`. */
export interface PageSection {
  readonly title: string;
  readonly html: string;
  /** Whether the section is folded until it is clicked. */
  readonly folded?: boolean;
}

/** A whole page. */
export function pageHtml(title: string, lead: string, sections: readonly PageSection[]): string {
  const parts = sections.map(({ title: name, html, folded }) =>
    folded
      ? `<section><details><summary><h2>${escapeMarkup(name)}</h2></summary>${html}</details></section>`
      : `<section><h2>${escapeMarkup(name)}</h2>${html}</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="color-scheme" content="light dark">
<title>${escapeMarkup(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<header><h1>${escapeMarkup(title)}</h1>${lead}</header>
${parts.join('\n')}
</main>
</body>
</html>
`;
}

/** Figures to be seen at a glance: a value and what it is. */
export function tilesHtml(tiles: readonly (readonly [name: string, value: string])[]): string {
  const items = tiles.map(
    ([name, value]) => `<div><dt>${escapeMarkup(name)}</dt><dd>${escapeMarkup(value)}</dd></div>`,
  );
  return `<dl class="tiles">${items.join('')}</dl>`;
}

/** A table; all columns but the first are numbers, unless `words`. */
export function tableHtml(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  options: { readonly words?: boolean; readonly marked?: number } = {},
): string {
  const { words = false, marked } = options;
  const head = columns.map((name) => `<th scope="col">${escapeMarkup(name)}</th>`).join('');
  const body = rows.map(
    ([first = '', ...rest], i) =>
      `<tr${i === marked ? ' class="marked"' : ''}><th scope="row">${escapeMarkup(first)}</th>${rest.map((cell) => `<td>${escapeMarkup(cell)}</td>`).join('')}</tr>`,
  );
  const header = columns.length === 0 ? '' : `<thead><tr>${head}</tr></thead>`;
  return `<div class="wide"><table${words ? ' class="words"' : ''}>${header}<tbody>${body.join('')}</tbody></table></div>`;
}

/** A chart and what it is, for those who hear the page. */
export interface PageChart {
  readonly svg: string;
  readonly name: string;
}

/** Charts side by side where there is room, behind `before` (trusted HTML, such as a table). */
export function chartsHtml(charts: readonly PageChart[], before = ''): string {
  const figures = charts.map(
    ({ svg, name }) => `<figure class="chart" aria-label="${escapeMarkup(name)}">${svg.trim()}</figure>`,
  );
  return `<div class="charts">${before}${figures.join('')}</div>`;
}

/** A paragraph with options of a command, which are not broken at their hyphens where they fit into a line. */
export function commandHtml(text: string): string {
  const words = text.split(' ').map((word) => {
    const safe = escapeMarkup(word);
    return word.includes('-') ? `<span class="word">${safe}</span>` : safe;
  });
  return `<p>${words.join(' ')}</p>`;
}

/** Text as it is, in letters of one width. */
export function textHtml(text: string): string {
  return `<pre>${escapeMarkup(text)}</pre>`;
}

/** COLOURS.blue is too dark for thin lines on a dark page; the other colours are seen on both. */
const BLUE_IN_THE_DARK = '#2e8fd4';

const STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1d232a;--faint:#5b6672;--edge:#dfe4e9;--soft:#f5f7f9;--mark:#e3f1e9}
@media (prefers-color-scheme:dark){:root{--paper:#14181d;--ink:#e3e7eb;--faint:#9aa5b1;--edge:#2c343c;--soft:#1b2127;--mark:#1c3328}}
@media screen and (prefers-color-scheme:dark){.chart [fill="${COLOURS.blue}"]{fill:${BLUE_IN_THE_DARK}}.chart [stroke="${COLOURS.blue}"]{stroke:${BLUE_IN_THE_DARK}}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,"Helvetica Neue",Helvetica,Arial,sans-serif}
main{max-width:1080px;margin:0 auto;padding:24px 16px 64px}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 4px}
h2{font-size:1.15rem;margin:0 0 10px}
h3{font-size:1rem;margin:18px 0 6px}
p{margin:4px 0 10px;color:var(--faint);max-width:70ch}
p,h1,h2,h3{overflow-wrap:anywhere}
section{margin-top:34px}
summary{cursor:pointer}
summary h2{display:inline}
details[open]>summary{margin-bottom:10px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(138px,1fr));gap:10px;margin:18px 0 0}
.tiles div{background:var(--soft);border:1px solid var(--edge);border-radius:8px;padding:10px 12px;display:flex;flex-direction:column;justify-content:space-between}
.tiles dt{color:var(--faint);font-size:.8rem}
.tiles dd{margin:0;font-size:1.15rem;font-weight:600;white-space:nowrap;font-variant-numeric:tabular-nums}
.wide,pre,.chart{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.87rem}
th,td{padding:3px 12px;text-align:right;border-bottom:1px solid var(--edge);white-space:nowrap}
thead th{color:var(--faint);font-weight:500}
th:first-child{text-align:left;padding-left:0;font-weight:500}
.words th,.words td{text-align:left;white-space:normal;overflow-wrap:anywhere;vertical-align:top}
.marked{background:var(--mark)}
pre{background:var(--soft);border:1px solid var(--edge);border-radius:8px;padding:12px;font:12px/1.45 ui-monospace,Menlo,Consolas,monospace;margin:0}
.charts{display:flex;flex-wrap:wrap;align-items:flex-start;gap:12px 20px;margin-top:14px}
.charts>.wide{max-width:100%}
@media screen and (min-width:860px){.charts>.wide{margin-right:40px}}
.word{display:inline-block;max-width:100%;overflow-wrap:anywhere}
.chart{margin:0;max-width:100%}
.chart svg{display:block;max-width:100%;height:auto}
.chart [stroke="#ffffff"]{stroke:var(--paper)}
.grid{display:flex;flex-wrap:wrap;gap:8px}
.grid figure{margin:0;min-width:0}
.grid img,.grid svg{display:block;image-rendering:pixelated;border-radius:2px}
.grid figcaption{font-size:.72rem;line-height:1.25;color:var(--faint);margin-top:3px;overflow-wrap:anywhere}
.dead{background:#7f7f7f40}
.dead path{stroke:#7f7f7f;stroke-width:1px;vector-effect:non-scaling-stroke}
@media (max-width:480px){main{padding:16px 12px 40px}th,td{padding:3px 7px}h1{font-size:1.35rem}.tiles{grid-template-columns:1fr 1fr}}
@media print{@page{margin:12mm}:root{color-scheme:light;--paper:#fff;--ink:#000;--faint:#444;--edge:#ccc;--soft:#fff;--mark:#eee}
main{max-width:none;padding:0 3px}section{margin-top:20px}.chart,.grid figure,tr,.tiles div{break-inside:avoid}h2,h3,summary,section p,tbody tr:nth-child(-n+2){break-after:avoid}
.wide,.chart{overflow:visible}th,td{padding:2px 6px}thead th{white-space:normal;vertical-align:bottom}pre{white-space:pre-wrap;font-size:9px}
details::details-content{content-visibility:visible}
img,svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
`
  .trim()
  .replaceAll('\n', '');

/** Tables for the terminal: columns aligned, numbers to the right. */

/** A column; `text` gives a row's cell, already formatted. */
export interface Column<R> {
  /** Heading, with its unit. */
  readonly title: string;
  readonly text: (row: R) => string;
  /** Default: right, as for numbers. */
  readonly align?: 'left' | 'right';
}

/** The table's lines: heading, rule, rows. Trailing blanks are cut. */
export function formatTable<R>(columns: readonly Column<R>[], rows: readonly R[]): string {
  const cells = rows.map((row) => columns.map(({ text }) => text(row)));
  const titles = columns.map(({ title }) => title);
  const widths = columns.map((_, i) => Math.max(...[titles, ...cells].map((line) => line[i]!.length)));
  const line = (texts: readonly string[]) =>
    texts
      .map((text, i) => (columns[i]!.align === 'left' ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [line(titles), rule, ...cells.map(line)].join('\n');
}

/** Three significant digits and no exponent: 1234, 123, 12.3, 1.23, 0.0123. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value === 0) return '0';
  const places = 2 - Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.max(0, Math.min(6, places)));
}

/** 0.853 as '85%'. */
export function percent(value: number, places = 0): string {
  return Number.isFinite(value) ? `${(100 * value).toFixed(places)}%` : '-';
}

/** 2.934 as '2.93x'. */
export function times(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(2)}x` : '-';
}

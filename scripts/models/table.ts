/** Small tables for the terminal. */

/** Rows of cells in columns; columns of numbers, by `right`, end flush. Without spaces at the ends of lines. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const all = [header, ...rows];
  const widths = header.map((_, c) => Math.max(...all.map((row) => [...(row[c] ?? '')].length)));
  const line = (row: readonly string[]) =>
    header
      .map((_, c) => {
        const cell = row[c] ?? '';
        const space = ' '.repeat(widths[c]! - [...cell].length);
        return right.includes(c) ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd();
  return [line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

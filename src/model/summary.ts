/** The table of a model: one row a layer, as Keras prints it, and multiply-adds besides. */
import { elementCount, type Shape } from '../tensor/shape.ts';
import type { Graph, GraphNode } from './graph.ts';

/** A row of the summary. */
export interface SummaryRow {
  readonly name: string;
  readonly type: string;
  readonly outputShape: Shape;
  readonly parameters: number;
  readonly multiplyAdds: number;
}

/** A row a layer; an activation that follows of itself counts to its layer. */
export function summaryRows(graph: Graph): SummaryRow[] {
  const owners = new Map<string, GraphNode[]>();
  for (const node of graph.nodes) owners.set(node.owner, [...(owners.get(node.owner) ?? []), node]);
  return [...owners.entries()].map(([name, nodes]) => ({
    name,
    type: nodes[0]!.layer.type,
    outputShape: nodes.at(-1)!.outputShape,
    parameters: nodes
      .filter(({ call }) => call === 0)
      .flatMap((node) => node.parameters)
      .reduce((sum, { shape }) => sum + elementCount(shape), 0),
    multiplyAdds: nodes.reduce(
      (sum, { layer, inputShapes }) =>
        sum + (layer.definition.multiplyAdds?.(layer.config, inputShapes) ?? 0),
      0,
    ),
  }));
}

/** The rows as text, with totals. */
export function summarize(graph: Graph): string {
  const rows = summaryRows(graph);
  const cells = [
    ['Layer (type)', 'Output shape', 'Parameters', 'Multiply-adds'],
    ...rows.map((row) => [
      `${row.name} (${row.type})`,
      `[N, ${row.outputShape.join(', ')}]`,
      formatCount(row.parameters),
      formatCount(row.multiplyAdds),
    ]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) =>
    row
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width, 6));
  const total = rows.reduce((sum, { parameters }) => sum + parameters, 0);
  const work = rows.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
  return [
    lines[0]!,
    rule,
    ...lines.slice(1),
    rule,
    `Parameters: ${formatCount(total)}`,
    `Multiply-adds of the forward pass: ${formatCount(work)} an image`,
  ].join('\n');
}

/** 1234567 as '1,234,567'. */
export function formatCount(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** The table of a model: one row a layer, as Keras prints it, and multiply-adds besides. */
import type { ParameterSpec } from '../layers/layer.ts';
import { elementCount, type Shape } from '../tensor/shape.ts';
import type { Graph, GraphNode } from './graph.ts';

/** A row of the summary. */
export interface SummaryRow {
  readonly name: string;
  readonly type: string;
  readonly outputShape: Shape;
  /** Numbers that the layer has, buffers (running statistics) included. */
  readonly parameters: number;
  /** Those of them that optimizers move. */
  readonly trained: number;
  readonly multiplyAdds: number;
  /** What the layer is called on: names of layers and inputs, those of its first call. */
  readonly connectedTo: readonly string[];
}

/** A row a layer; an activation that follows of itself counts to its layer. */
export function summaryRows(graph: Graph): SummaryRow[] {
  const owners = new Map<string, GraphNode[]>();
  for (const node of graph.nodes) owners.set(node.owner, [...(owners.get(node.owner) ?? []), node]);
  const makers = new Map(graph.inputs.map((index, i) => [index, graph.inputNames[i]!]));
  for (const { output, owner } of graph.nodes) makers.set(output, owner);
  return [...owners.entries()].map(([name, nodes]) => ({
    connectedTo: nodes[0]!.inputs.map((index) => makers.get(index)!),
    name,
    type: nodes[0]!.layer.type,
    outputShape: nodes.at(-1)!.outputShape,
    ...parametersOf(nodes),
    multiplyAdds: nodes.reduce(
      (sum, { layer, inputShapes }) =>
        sum + (layer.definition.multiplyAdds?.(layer.config, inputShapes) ?? 0),
      0,
    ),
  }));
}

function parametersOf(nodes: readonly GraphNode[]): Pick<SummaryRow, 'parameters' | 'trained'> {
  const specs = nodes.filter(({ call }) => call === 0).flatMap((node) => node.parameters);
  const count = (list: readonly ParameterSpec[]) =>
    list.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  return { parameters: count(specs), trained: count(specs.filter(({ trained }) => trained !== false)) };
}

/** Whether every layer is called once, on what the one before it returned. */
function isChain({ nodes, inputs }: Graph): boolean {
  return (
    inputs.length === 1 &&
    nodes.every(({ call, inputs: read }, i) => {
      const before = i === 0 ? inputs[0] : nodes[i - 1]!.output;
      return call === 0 && read.length === 1 && read[0] === before;
    })
  );
}

/** The rows as text, with totals; where there are branches, with a column of connections. */
export function summarize(graph: Graph): string {
  const rows = summaryRows(graph);
  const withConnections = !isChain(graph);
  const cells = [
    ['Layer (type)', 'Output shape', 'Parameters', 'Multiply-adds'],
    ...(graph.inputs.length > 1 ? inputRows(graph) : []),
    ...rows.map((row) => [
      `${row.name} (${row.type})`,
      `[N, ${row.outputShape.join(', ')}]`,
      formatCount(row.parameters),
      formatCount(row.multiplyAdds),
    ]),
  ];
  if (withConnections) {
    const first = cells.length - rows.length;
    cells.slice(1, first).forEach((row) => void row.push(''));
    cells[0]!.push('Connected to');
    rows.forEach(({ connectedTo }, i) => void cells[first + i]!.push(connectedTo.join(', ')));
  }
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) =>
    row
      .map((cell, i) => (i === 2 || i === 3 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1)));
  const total = rows.reduce((sum, { parameters }) => sum + parameters, 0);
  const trained = rows.reduce((sum, row) => sum + row.trained, 0);
  const work = rows.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
  return [
    lines[0]!,
    rule,
    ...lines.slice(1),
    rule,
    `Parameters: ${formatCount(total)}${trained < total ? ` (${formatCount(trained)} trained)` : ''}`,
    `Multiply-adds of the forward pass: ${formatCount(work)} an image`,
  ].join('\n');
}

/** Where there are several inputs, a row for each. */
function inputRows({ inputs, inputNames, tensors }: Graph): string[][] {
  return inputs.map((index, i) => [
    `${inputNames[i]} (input)`,
    `[N, ${tensors[index]!.join(', ')}]`,
    '0',
    '0',
  ]);
}

/** 1234567 as '1,234,567'. */
export function formatCount(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

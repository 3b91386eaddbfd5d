/**
 * A model's graph as an SVG drawing: a box a layer, with its type, name and output shape, an arrow for each
 * connection, laid out from top to bottom by dagre.
 */
import dagre from '@dagrejs/dagre';
import { type Graph, graphParameters } from '../../src/model/graph.ts';
import { formatCount } from '../../src/model/summary.ts';
import { formatShape } from '../../src/tensor/shape.ts';

interface Box {
  readonly id: string;
  readonly type: string;
  readonly lines: readonly string[];
  readonly inputs: readonly string[];
}

const LINE_HEIGHT = 14;
const PADDING = 8;
/** Width of a character of the 11-pixel monospaced font. */
const CHARACTER_WIDTH = 6.7;

/** Fill by kind of layer; what is not here is grey. */
const FILLS: Readonly<Record<string, string>> = {
  input: '#ffffff',
  conv2d: '#d6e6f5',
  conv2dTranspose: '#c3dcf2',
  dense: '#e3daf3',
  maxPooling2d: '#f9e3cd',
  averagePooling2d: '#f9e3cd',
  globalAveragePooling2d: '#f9e3cd',
  concatenate: '#d9efd9',
  add: '#d9efd9',
};

/** The drawing as text. */
export function graphSvg(graph: Graph, title: string): string {
  const boxes = boxesOf(graph);
  const layout = new dagre.graphlib.Graph({ multigraph: true });
  layout.setGraph({ rankdir: 'TB', nodesep: 18, ranksep: 26, marginx: 16, marginy: 16 });
  layout.setDefaultEdgeLabel(() => ({}));
  for (const { id, lines } of boxes) {
    const width = Math.max(...lines.map(({ length }) => length)) * CHARACTER_WIDTH + 2 * PADDING;
    layout.setNode(id, { width, height: lines.length * LINE_HEIGHT + PADDING });
  }
  for (const { id, inputs } of boxes) {
    for (const [i, from] of inputs.entries()) layout.setEdge(from, id, {}, String(i));
  }
  dagre.layout(layout);
  const { width = 0, height = 0 } = layout.graph() as { width?: number; height?: number };
  const edges = layout.edges().map((edge: { v: string; w: string; name?: string }) => {
    const { points } = layout.edge(edge) as { points: readonly { x: number; y: number }[] };
    const path = points.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join(' ');
    return `<path d="${path}" class="edge" marker-end="url(#arrow)"/>`;
  });
  const shapes = boxes.map((box) => {
    const {
      x,
      y,
      width: w,
      height: h,
    } = layout.node(box.id) as Record<'x' | 'y' | 'width' | 'height', number>;
    const fill = FILLS[box.type] ?? '#eeeeee';
    const text = box.lines.map((line, i) => {
      const top = y - h / 2 + PADDING / 2 + (i + 0.75) * LINE_HEIGHT;
      return `<text x="${round(x)}" y="${round(top)}"${i === 0 ? ' class="name"' : ''}>${escapeText(line)}</text>`;
    });
    const corner = `x="${round(x - w / 2)}" y="${round(y - h / 2)}"`;
    const size = `width="${round(w)}" height="${round(h)}"`;
    return `<g><rect ${corner} ${size} rx="4" fill="${fill}"/>${text.join('')}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" height="${round(height)}" role="img">
<title>${escapeText(title)}: ${formatCount(total(graph))} parameters</title>
<style>text{font:11px ui-monospace,monospace;text-anchor:middle;fill:#222}.name{font-weight:600}rect{stroke:#667}.edge{fill:none;stroke:#667}</style>
<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#667"/></marker></defs>
<rect width="100%" height="100%" style="fill:#fff;stroke:none"/>
${edges.join('\n')}
${shapes.join('\n')}
</svg>
`;
}

/** One box an input and a layer; the calls of a shared layer are one box. */
function boxesOf(graph: Graph): Box[] {
  const makers = new Map(graph.inputs.map((index, i) => [index, `input:${graph.inputNames[i]}`]));
  const boxes = new Map<string, { type: string; lines: string[]; inputs: string[] }>();
  graph.inputs.forEach((index, i) => {
    const lines = [graph.inputNames[i]!, `input ${formatShape(graph.tensors[index]!)}`];
    boxes.set(makers.get(index)!, { type: 'input', lines, inputs: [] });
  });
  for (const { owner, layerName, layer, inputs, output, outputShape } of graph.nodes) {
    const id = `layer:${owner}`;
    const sources = inputs.map((index) => makers.get(index)!).filter((source) => source !== id);
    makers.set(output, id);
    const lines = [owner, `${layer.type} ${formatShape(outputShape)}`];
    const known = boxes.get(id);
    if (known === undefined) boxes.set(id, { type: layer.type, lines, inputs: sources });
    else if (layerName === owner) known.inputs.push(...sources);
  }
  return [...boxes].map(([id, box]) => ({ id, ...box }));
}

function total(graph: Graph): number {
  return graphParameters(graph).reduce((sum, { elements }) => sum + elements, 0);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

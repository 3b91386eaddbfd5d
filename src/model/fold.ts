/**
 * Which batch normalisations can be folded into the layer before them, and the graph without them.
 *
 * A layer that is linear in its weights w and bias b, followed by a batch normalisation in inference (scale and shift a
 * channel), is such a layer with w * scale and (b - mean) * scale + beta. It is folded where nothing else reads what lies
 * between, and where neither layer is shared. A ReLU that follows alone is then done by the layer itself.
 */
import { activation } from '../layers/activation.ts';
import { batchNormalization } from '../layers/batch-normalization.ts';
import { conv2d } from '../layers/conv2d.ts';
import { dense } from '../layers/dense.ts';
import { depthwiseConv2d } from '../layers/depthwise-conv2d.ts';
import type { Layer } from '../layers/layer.ts';
import type { WeightConfig } from '../layers/options.ts';
import { separableConv2d } from '../layers/separable-conv2d.ts';
import { type Graph, type GraphNode, startGraph } from './graph.ts';

/**
 * The weight that takes the scale, by kind of layer: its last axis, or its last two flattened, are the output's channels,
 * so that element i has channel i % C.
 */
const SCALED_WEIGHTS: ReadonlyMap<Layer['definition'], string> = new Map<Layer['definition'], string>([
  [conv2d.definition, 'weight'],
  [dense.definition, 'weight'],
  [depthwiseConv2d.definition, 'weight'],
  [separableConv2d.definition, 'pointwiseWeight'],
]);

/** A normalisation that went into a layer, by their names. */
export interface Fold {
  readonly layer: string;
  /** The layer's weight that takes the scale; element i has channel i % C. */
  readonly weight: string;
  readonly normalization: string;
}

export interface FoldedGraph {
  readonly graph: Graph;
  readonly folds: readonly Fold[];
}

/** The graph with every normalisation folded that can be. Names of the layers that stay are kept. */
export function foldGraph(graph: Graph): FoldedGraph {
  const readers = readersOf(graph);
  const partners = new Map<GraphNode, { normalization: GraphNode; relu: GraphNode | undefined }>();
  const gone = new Set<GraphNode>();
  for (const node of graph.nodes) {
    const normalization = foldable(graph, node, readers);
    if (normalization === undefined) continue;
    const [next] = readers.get(normalization.output) ?? [];
    const relu = isAlone(graph, normalization, readers) && isRelu(graph, next) ? next : undefined;
    partners.set(node, { normalization, relu });
    gone.add(normalization);
    if (relu !== undefined) gone.add(relu);
  }
  const growing = startGraph();
  const tensors = new Map(graph.inputs.map((index) => [index, growing.addInput(graph.tensors[index]!)]));
  for (const node of graph.nodes) {
    // What follows a layer of itself comes with it; what was folded is the tensor of the layer that took it in.
    if (node.layerName !== node.owner || gone.has(node)) continue;
    const partner = partners.get(node);
    const layer = partner === undefined ? kept(node) : withBias(node, partner.relu !== undefined);
    const inputs = node.inputs.map((index) => tensors.get(index)!);
    const output = growing.addLayer(layer, node.layerName, node.call, inputs);
    const last = partner?.relu ?? partner?.normalization ?? lastOf(graph, node);
    tensors.set(last.output, output);
  }
  const outputs = graph.outputs.map((index) => tensors.get(index)!);
  const inputs = graph.inputs.map((index) => tensors.get(index)!);
  return {
    graph: growing.finish(inputs, graph.inputNames, outputs, graph.outputNames),
    folds: [...partners].map(([node, { normalization }]) => ({
      layer: node.layerName,
      weight: SCALED_WEIGHTS.get(node.layer.definition)!,
      normalization: normalization.layerName,
    })),
  };
}

/** The nodes that read each tensor, as often as they do. */
function readersOf({ nodes }: Graph): ReadonlyMap<number, readonly GraphNode[]> {
  const readers = new Map<number, GraphNode[]>();
  for (const node of nodes) {
    for (const index of node.inputs) readers.set(index, [...(readers.get(index) ?? []), node]);
  }
  return readers;
}

type Readers = ReturnType<typeof readersOf>;

/** Whether a node's output goes to one place only, and not out of the model. */
function isAlone(graph: Graph, { output }: GraphNode, readers: Readers): boolean {
  return readers.get(output)?.length === 1 && !graph.outputs.includes(output);
}

function isShared({ nodes }: Graph, { layerName }: GraphNode): boolean {
  return nodes.some((node) => node.layerName === layerName && node.call > 0);
}

/** The normalisation that can be folded into a node. */
function foldable(graph: Graph, node: GraphNode, readers: Readers): GraphNode | undefined {
  const { definition, config } = node.layer;
  if (!SCALED_WEIGHTS.has(definition) || (config as WeightConfig).activation !== 'linear') return undefined;
  if (isShared(graph, node) || !isAlone(graph, node, readers)) return undefined;
  const [next] = readers.get(node.output)!;
  const isNormalization = next!.layer.definition === (batchNormalization.definition as Layer['definition']);
  return isNormalization && !isShared(graph, next!) ? next : undefined;
}

function isRelu(graph: Graph, node: GraphNode | undefined): boolean {
  if (node === undefined || node.layer.definition !== (activation.definition as Layer['definition'])) {
    return false;
  }
  const { function: name } = node.layer.config as { function: string };
  return name === 'relu' && !isShared(graph, node);
}

/** The node whose output a layer returns: itself, or the activation that follows of itself. */
function lastOf({ nodes }: Graph, { owner, call }: GraphNode): GraphNode {
  return nodes.findLast((node) => node.owner === owner && node.call === call)!;
}

function kept({ layer, layerName, trainable }: GraphNode): Layer {
  const { type, config, definition } = layer;
  return { type, name: layerName, config, definition, trainable };
}

/** The layer with a bias, which may have had none, and perhaps with a ReLU. */
function withBias(node: GraphNode, relu: boolean): Layer {
  const layer = kept(node);
  const options = { ...(layer.config as object), useBias: true, ...(relu && { activation: 'relu' }) };
  return { ...layer, config: layer.definition.resolve(options, `${layer.type} "${node.layerName}"`) };
}

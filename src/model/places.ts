/**
 * Which tensors lie in the memory of which: a tensor that is another one under a new name (flatten; dropout outside
 * of training), the parts of a concatenation, each a slice of the channels of the whole, and slices that layers take.
 * Activations and gradients lie alike.
 */
import { elementCount, type Shape, sameShape } from '../tensor/shape.ts';
import type { Graph, GraphNode } from './graph.ts';

export type Mode = 'train' | 'infer';

/** Where a tensor lies: in `root`'s memory, from a channel of it on. */
export interface Place {
  readonly root: number;
  readonly channel: number;
}

/** Where all tensors lie. `copied`: nodes that could be aliases but must not be. */
export function placeTensors(graph: Graph, mode: Mode, copied: ReadonlySet<GraphNode>): Place[] {
  const links = new Map<number, Place>();
  const find = (index: number): Place => {
    let place: Place = { root: index, channel: 0 };
    for (let link = links.get(index); link !== undefined; link = links.get(place.root)) {
      place = { root: link.root, channel: place.channel + link.channel };
    }
    return place;
  };
  for (const node of graph.nodes) {
    if (isAliasKind(node, mode) && !copied.has(node)) {
      links.set(node.output, { root: node.inputs[0]!, channel: 0 });
    } else if (node.layer.definition.joinsChannels) {
      claimParts(graph, node, links, find);
    } else if (node.layer.definition.sliceFrom !== undefined && keepsPixels(graph, node, find)) {
      const channel = node.layer.definition.sliceFrom(node.layer.config);
      links.set(node.output, { root: node.inputs[0]!, channel });
    }
  }
  return graph.tensors.map((_, index) => find(index));
}

/** Whether the memory in which a node's input lies has the input's pixels, not those that it was reshaped from. */
function keepsPixels(graph: Graph, { inputs: [input] }: GraphNode, find: (index: number) => Place): boolean {
  const pixels = (index: number) => graph.tensors[index]!.slice(0, -1);
  return sameShape(pixels(input!), pixels(find(input!).root));
}

/** Whether a node's output is a slice of its input's memory. */
export function isSliceInPlace({ layer, inputs, output }: GraphNode, places: readonly Place[]): boolean {
  const start = layer.definition.sliceFrom?.(layer.config);
  const [whole, part] = [places[inputs[0]!]!, places[output]!];
  return start !== undefined && part.root === whole.root && part.channel === whole.channel + start;
}

/** Whether a node computes nothing where its output may lie in its input's memory. */
export function isAliasKind({ layer: { definition } }: GraphNode, mode: Mode): boolean {
  return definition.reshape === true || (definition.trainingOnly === true && mode === 'infer');
}

/**
 * Lays the inputs of a concatenation into its output: each that is a whole memory of its own, or that makes up one
 * together with the inputs after it (an earlier concatenation of the same tensors). Whatever lies elsewhere already,
 * comes twice, or has another shape there, stays where it is and is copied.
 */
function claimParts(
  graph: Graph,
  { inputs, output }: GraphNode,
  links: Map<number, Place>,
  find: (index: number) => Place,
): void {
  const channels = (index: number) => graph.tensors[index]!.at(-1)!;
  let from = 0;
  for (let i = 0; i < inputs.length; ) {
    const { root, channel } = find(inputs[i]!);
    const isFree = channel === 0 && root !== output && !isReshaped(graph, root);
    const run = isFree ? runLength(graph, inputs, i, root, find) : 0;
    if (run > 0) links.set(root, { root: output, channel: from });
    const taken = Math.max(1, run);
    for (const index of inputs.slice(i, i + taken)) from += channels(index);
    i += taken;
  }
}

/** What flatten and its like write where they copy is contiguous, so it cannot be a slice. */
function isReshaped(graph: Graph, index: number): boolean {
  return graph.nodes.some((node) => node.output === index && node.layer.definition.reshape);
}

/** How many inputs from `start` on are, one after the other, all of `root`'s channels; 0 where none do. */
function runLength(
  graph: Graph,
  inputs: readonly number[],
  start: number,
  root: number,
  find: (index: number) => Place,
): number {
  const whole = graph.tensors[root]!;
  let channel = 0;
  for (let i = start; i < inputs.length; i++) {
    const shape = graph.tensors[inputs[i]!]!;
    const place = find(inputs[i]!);
    const fits = sameShape(shape.slice(0, -1), whole.slice(0, -1));
    if (place.root !== root || place.channel !== channel || !fits) return 0;
    channel += shape.at(-1)!;
    if (channel === whole.at(-1)!) return i - start + 1;
  }
  return 0;
}

/** Channels of a root that a tensor in it covers: all of them where it is the root under another shape. */
export function channelRange(
  tensors: readonly Shape[],
  index: number,
  { root, channel }: Place,
): readonly [from: number, to: number] {
  const whole = tensors[root]!;
  const isWhole = elementCount(tensors[index]!) === elementCount(whole);
  return isWhole ? [0, whole.at(-1)!] : [channel, channel + tensors[index]!.at(-1)!];
}

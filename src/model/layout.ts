/**
 * The layout of every tensor, decided before the first call: its halo is the widest that a reader needs, and it
 * outlives the shard's unit where a layer computes gradients over the whole batch. A tensor that lies in another
 * one's memory (places.ts) has the other one's strides and halo.
 */
import type { Scope, TensorRef } from '../layers/layer.ts';
import { elementCount, sameShape } from '../tensor/shape.ts';
import { tensorBuffer, viewOf } from './buffers.ts';
import type { Graph, GraphNode } from './graph.ts';
import { isAliasKind, isSliceInPlace, type Mode, type Place, placeTensors } from './places.ts';
import { passingTensor, recomputedTensors } from './recompute.ts';

export type { Mode };

/** Where activations and gradients lie, by tensor. */
export interface TensorLayout {
  readonly activations: readonly TensorRef[];
  readonly gradients: readonly TensorRef[];
  /** Tensors that the backward pass computes again, in a place of their own: nothing is kept of them. */
  readonly again: ReadonlyMap<number, TensorRef>;
  /** In which tensor's memory each tensor lies, and where. */
  readonly places: readonly Place[];
  /** Nodes whose output is their input's memory, so that nothing is to be computed. */
  readonly aliases: ReadonlySet<GraphNode>;
  /** Whether anything upstream of a tensor is trained. */
  readonly needsGradient: readonly boolean[];
}

interface Needs {
  halo: number;
  gradHalo: number;
  wholeBatch: boolean;
  gradWholeBatch: boolean;
}

/** Lays out all tensors of a graph; `split`: several workers compute one tensor, so none is a worker's own. */
export function layoutTensors(graph: Graph, mode: Mode, split = false): TensorLayout {
  const needsGradient = gradientNeeds(graph, mode);
  const copied = new Set<GraphNode>();
  let places = placeTensors(graph, mode, copied);
  let needs = tensorNeeds(graph, places, needsGradient);
  for (const node of graph.nodes) {
    if (!node.layer.definition.reshape) continue;
    const input = node.inputs[0]!;
    const { halo, gradHalo } = needs[places[node.output]!.root]!;
    const isSlice = elementCount(graph.tensors[places[input]!.root]!) > elementCount(graph.tensors[input]!);
    if (isSlice || halo + gradHalo > 0) copied.add(node);
  }
  if (copied.size > 0) {
    places = placeTensors(graph, mode, copied);
    needs = tensorNeeds(graph, places, needsGradient);
  }
  const kept = (wholeBatch: boolean): Scope => (split || (wholeBatch && mode === 'train') ? 'batch' : 'unit');
  const results = new Set(graph.outputs.map((index) => places[index]!.root));
  const recomputed =
    mode === 'train' ? recomputedTensors(graph, places, (i) => needs[i]!.wholeBatch) : new Set<number>();
  const activations = graph.tensors.map((shape, i) => {
    const scope = mode === 'infer' && results.has(i) ? 'batch' : kept(needs[i]!.wholeBatch);
    const tensor = tensorBuffer(`activation/${i}`, scope, shape, needs[i]!.halo);
    return recomputed.has(i) ? passingTensor(tensor.origin.buffer.name, tensor) : tensor;
  });
  const again = new Map(
    [...recomputed].map((i) => [i, passingTensor(`activation/${i}/again`, activations[i]!)] as const),
  );
  const gradients = graph.tensors.map((shape, i) =>
    tensorBuffer(`gradient/${i}`, kept(needs[i]!.gradWholeBatch), shape, needs[i]!.gradHalo),
  );
  return {
    activations: graph.tensors.map((_, i) => aliased(graph, activations, places[i]!, i)),
    gradients: graph.tensors.map((_, i) => aliased(graph, gradients, places[i]!, i)),
    again,
    places,
    aliases: new Set(
      graph.nodes.filter(
        (node) => (isAliasKind(node, mode) && !copied.has(node)) || isSliceInPlace(node, places),
      ),
    ),
    needsGradient,
  };
}

/** Tensor `index` in the memory of another: in the root's layout where the ranks agree, else contiguous. */
function aliased(
  graph: Graph,
  tensors: readonly TensorRef[],
  { root, channel }: Place,
  index: number,
): TensorRef {
  if (root === index) return tensors[index]!;
  const shape = graph.tensors[index]!;
  const { view: wholeView, origin } = tensors[root]!;
  const whole = tensors[root]!.shape;
  const isReshaped = !sameShape(shape, whole) && elementCount(shape) === elementCount(whole);
  const view = isReshaped ? viewOf(shape, 0) : { ...wholeView, channels: shape.at(-1)! };
  return { shape, view, origin: { buffer: origin.buffer, offsetBytes: origin.offsetBytes + 4 * channel } };
}

function gradientNeeds(graph: Graph, mode: Mode): boolean[] {
  const needs = graph.tensors.map(() => false);
  if (mode === 'infer') return needs;
  for (const node of graph.nodes) {
    needs[node.output] =
      (node.trainable && node.parameters.length > 0) || node.inputs.some((index) => needs[index]);
  }
  return needs;
}

function tensorNeeds(graph: Graph, places: readonly Place[], needsGradient: readonly boolean[]): Needs[] {
  const all = graph.tensors.map(
    (): Needs => ({ halo: 0, gradHalo: 0, wholeBatch: false, gradWholeBatch: false }),
  );
  for (const { layer, inputs, inputShapes, output: written } of graph.nodes) {
    const halo = layer.definition.halo?.(layer.config, inputShapes) ?? {};
    const { input: inputHalo = 0, gradOutput: gradHalo = 0, gradOutputForParameters = 0 } = halo;
    const output = all[places[written]!.root]!;
    if (needsGradient[written]) output.gradHalo = Math.max(output.gradHalo, gradOutputForParameters);
    const wholeBatch = layer.definition.wholeBatch === true;
    output.gradWholeBatch ||= wholeBatch;
    for (const index of inputs) {
      const input = all[places[index]!.root]!;
      input.halo = Math.max(input.halo, inputHalo);
      input.wholeBatch ||= wholeBatch;
      if (needsGradient[index]) output.gradHalo = Math.max(output.gradHalo, gradHalo);
    }
  }
  return all;
}

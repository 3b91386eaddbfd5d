/**
 * The layout of every tensor, decided before the first call: its halo is the widest that a reader needs, it
 * outlives the shard's unit where a layer computes gradients over the whole batch, and a tensor that is another
 * one under a new name (flatten; dropout outside of training) lies in the other one's memory.
 */
import type { Scope, TensorRef } from '../layers/layer.ts';
import { tensorBuffer } from './buffers.ts';
import type { Graph, GraphNode } from './graph.ts';

export type Mode = 'train' | 'infer';

/** Where activations and gradients lie, by tensor. */
export interface TensorLayout {
  readonly activations: readonly TensorRef[];
  readonly gradients: readonly TensorRef[];
  /** For each tensor the tensor in whose memory it lies. */
  readonly roots: readonly number[];
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
  let roots = rootsOf(graph, mode, copied);
  let needs = tensorNeeds(graph, roots, needsGradient);
  for (const node of graph.nodes) {
    const { halo, gradHalo } = needs[roots[node.output]!]!;
    if (node.layer.definition.reshape && halo + gradHalo > 0) copied.add(node);
  }
  if (copied.size > 0) {
    roots = rootsOf(graph, mode, copied);
    needs = tensorNeeds(graph, roots, needsGradient);
  }
  const kept = (wholeBatch: boolean): Scope => (split || (wholeBatch && mode === 'train') ? 'batch' : 'unit');
  const results = new Set(graph.outputs.map((index) => roots[index]));
  const activations = graph.tensors.map((shape, i) => {
    const scope = mode === 'infer' && results.has(i) ? 'batch' : kept(needs[i]!.wholeBatch);
    return tensorBuffer(`activation/${i}`, scope, shape, needs[i]!.halo);
  });
  const gradients = graph.tensors.map((shape, i) =>
    tensorBuffer(`gradient/${i}`, kept(needs[i]!.gradWholeBatch), shape, needs[i]!.gradHalo),
  );
  return {
    activations: graph.tensors.map((_, i) => aliased(graph, activations, roots[i]!, i)),
    gradients: graph.tensors.map((_, i) => aliased(graph, gradients, roots[i]!, i)),
    roots,
    needsGradient,
  };
}

/** Whether a node's output lies in its input's memory, so that nothing is to be computed. */
export function isAlias(layout: TensorLayout, node: GraphNode): boolean {
  return layout.roots[node.output] === layout.roots[node.inputs[0]!];
}

/** Tensor `index` in the memory of `root`: with the root's layout where the shapes agree, else contiguous. */
function aliased(graph: Graph, tensors: readonly TensorRef[], root: number, index: number): TensorRef {
  if (root === index) return tensors[index]!;
  const shape = graph.tensors[index]!;
  const sameLayout = shape.length === graph.tensors[root]!.length;
  const view = sameLayout ? tensors[root]!.view : tensorBuffer('', 'unit', shape, 0).view;
  return { shape, view, origin: tensors[root]!.origin };
}

function rootsOf(graph: Graph, mode: Mode, copied: ReadonlySet<GraphNode>): number[] {
  const roots = graph.tensors.map((_, i) => i);
  for (const node of graph.nodes) {
    const { reshape, trainingOnly } = node.layer.definition;
    const skipped = (reshape && !copied.has(node)) || (trainingOnly && mode === 'infer');
    if (skipped) roots[node.output] = roots[node.inputs[0]!]!;
  }
  return roots;
}

function gradientNeeds(graph: Graph, mode: Mode): boolean[] {
  const needs = graph.tensors.map(() => false);
  if (mode === 'infer') return needs;
  for (const node of graph.nodes) {
    needs[node.output] = node.parameters.length > 0 || node.inputs.some((index) => needs[index]);
  }
  return needs;
}

function tensorNeeds(graph: Graph, roots: readonly number[], needsGradient: readonly boolean[]): Needs[] {
  const all = graph.tensors.map(
    (): Needs => ({ halo: 0, gradHalo: 0, wholeBatch: false, gradWholeBatch: false }),
  );
  for (const { layer, inputs, inputShapes, output: written } of graph.nodes) {
    const halo = layer.definition.halo?.(layer.config, inputShapes) ?? {};
    const { input: inputHalo = 0, gradOutput: gradHalo = 0, gradOutputForParameters = 0 } = halo;
    const output = all[roots[written]!]!;
    if (needsGradient[written]) output.gradHalo = Math.max(output.gradHalo, gradOutputForParameters);
    const wholeBatch = layer.definition.wholeBatch === true;
    output.gradWholeBatch ||= wholeBatch;
    for (const index of inputs) {
      const input = all[roots[index]!]!;
      input.halo = Math.max(input.halo, inputHalo);
      input.wholeBatch ||= wholeBatch;
      if (needsGradient[index]) output.gradHalo = Math.max(output.gradHalo, gradHalo);
    }
  }
  return all;
}

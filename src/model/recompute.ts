/**
 * Tensors that are computed a second time in the backward pass instead of being kept from the forward pass.
 *
 * In a dense block (DenseNet) every layer normalises the channels of all layers before it. These lie in one memory, which
 * is kept anyway; what batch normalisation and ReLU make of them would take as much again for each layer, and so grow with
 * the square of their number. It is cheap to make again: the same kernel on the same numbers, so the bits are the same.
 * Its memory is needed for a moment in either pass, and then free for others.
 */
import { clearHalo } from '../layers/inner-tensor.ts';
import type { PlannedBuffer, PlannedCall, TensorRef } from '../layers/layer.ts';
import { tensorBuffer } from './buffers.ts';
import type { Emission } from './emit.ts';
import type { Graph, GraphNode } from './graph.ts';
import type { Place } from './places.ts';

/**
 * The tensors to compute again: outputs of layers that can (`recompute`) and whose input lies in a concatenation, or is
 * computed again itself. Not those that others see: outputs of the model, tensors in another's memory or with another in
 * theirs, and what units over the whole batch read.
 */
export function recomputedTensors(
  graph: Graph,
  places: readonly Place[],
  isForBatch: (tensor: number) => boolean,
): ReadonlySet<number> {
  const joined = new Set(
    graph.nodes.filter(({ layer }) => layer.definition.joinsChannels).map(({ output }) => output),
  );
  const roots = new Set(places.flatMap(({ root }, index) => (root === index ? [] : [root])));
  const found = new Set<number>();
  for (const { layer, inputs, output } of graph.nodes) {
    if (layer.definition.recompute === undefined) continue;
    const isSeen = graph.outputs.includes(output) || isForBatch(output);
    if (isSeen || places[output]!.root !== output || roots.has(output)) continue;
    if (inputs.every((index) => found.has(index) || joined.has(places[index]!.root))) found.add(output);
  }
  return found;
}

/** Memory that anything may use before and after: its halo has to be cleared at each use. */
export function passingTensor(name: string, like: TensorRef): TensorRef {
  const tensor = tensorBuffer(name, 'unit', like.shape, like.view.halo);
  return { ...tensor, origin: { ...tensor.origin, buffer: { ...tensor.origin.buffer, layout: '' } } };
}

/** Clears the halo of a node's output where others have used its memory. */
export function clearPassing(emission: Emission, node: GraphNode, output: TensorRef): void {
  if (!emission.layout.again.has(node.output)) return;
  clearHalo(
    { call: (spec, operands) => void emission.calls.push({ spec, operands, layer: node.name }) },
    output,
  );
}

/**
 * Puts before the calls from `start` on what computes the tensors again that they read, unless that was done for an
 * earlier call. `meetings`: how many there were before those calls.
 */
export function recomputeFor(
  emission: Emission,
  start: number,
  meetings: number,
  emitAgain: (emission: Emission, node: GraphNode) => void,
): void {
  const { layout, calls, recomputed } = emission;
  if (layout.again.size === 0) return;
  const owners = new Map<PlannedBuffer, number>();
  for (const [index, { origin }] of layout.again) owners.set(origin.buffer, index);
  const added: PlannedCall[] = [];
  const require = (index: number): void => {
    if (!layout.again.has(index) || recomputed.has(index)) return;
    recomputed.add(index);
    const node = emission.graph.nodes.find(({ output }) => output === index)!;
    node.inputs.forEach(require);
    emitAgain({ ...emission, calls: added }, node);
  };
  for (const { operands } of calls.slice(start)) {
    for (const operand of operands) {
      const index = typeof operand === 'object' ? owners.get(operand.buffer) : undefined;
      if (index !== undefined) require(index);
    }
  }
  calls.splice(start, 0, ...added);
  for (let i = meetings; i < emission.meetings.length; i++) {
    const { after, units } = emission.meetings[i]!;
    emission.meetings[i] = { after: after + added.length, units };
  }
}

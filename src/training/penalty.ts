/** What regularizers add to the loss of a model as it is. */
import { type Graph, graphParameters } from '../model/graph.ts';
import { penaltyTerms } from '../model/penalty.ts';
import { RANGE } from '../model/update.ts';
import type { Runner } from '../parallel/runner.ts';
import type { ModelState } from './state.ts';

/** The penalties of all layers of a graph that are trained, in the order and with the sums of a training step. */
export function penaltyOf(state: ModelState, runner: Runner, graph: Graph): number {
  let sum = 0;
  for (const { name, layer, spec, elements } of graphParameters(graph)) {
    if (spec.regularizer === undefined || spec.trained === false || state.frozen.has(layer)) continue;
    const values = runner.arena.floats(`parameter/${name}`).subarray(0, elements);
    for (const term of penaltyTerms(values, spec.regularizer, RANGE)) sum += term.factor * term.sum;
  }
  return sum;
}

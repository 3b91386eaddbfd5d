/** The contract of a layer's oracle: what the layer computes, in f64, with bounds of f32's error. */
import type { Shape } from '../../src/tensor/shape.ts';
import type { BoundedValues } from './conformance-bounds.ts';
import type { Values } from './oracle.ts';

/** One layer on one batch, while training. */
export interface LayerProblem {
  readonly config: unknown;
  readonly inputShape: Shape;
  /** One shape an input; the first is `inputShape`. */
  readonly inputShapes: readonly Shape[];
  readonly outputShape: Shape;
  readonly count: number;
  /** [count, ...inputShape]; of several inputs, each sample holds the first, then the second, ... */
  readonly input: Values;
  /** By their own names: weight, bias, ... */
  readonly parameters: Readonly<Record<string, Values>>;
  /** What addresses the layer's random numbers. */
  readonly name: string;
  readonly seed: number;
  readonly step: number;
}

export interface LayerGradients {
  readonly gradInput: BoundedValues;
  readonly parameters: Readonly<Record<string, BoundedValues>>;
}

export interface LayerOracle {
  forward(problem: LayerProblem): BoundedValues;
  backward(problem: LayerProblem, gradOutput: BoundedValues): LayerGradients;
  /** What it computes outside of training, where that is something else. */
  inference?(problem: LayerProblem): BoundedValues;
  /**
   * Where the layer is linear in its input and in each parameter: a number whose small multiples it takes to
   * numbers that f32 holds, every intermediate one included.
   */
  exactUnit?(problem: LayerProblem): number | undefined;
}

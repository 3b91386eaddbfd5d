/** What training hands to the plan: losses and optimizers as kernel calls, inputs as they are stored. */
import type { KernelSpec } from '../kernels/kernel.ts';
import type { BufferRef, Operand, TensorRef } from '../layers/layer.ts';

/** How samples are stored, and what is made of them before the first layer. Plain data. */
export interface InputFormat {
  readonly type: 'uint8' | 'float32';
  readonly mode: 'none' | 'scale' | 'standardize' | 'l2Rows';
  /** Per channel, for 'standardize'. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Whether an affine map is applied to each sample. */
  readonly augmented: boolean;
}

/** Targets as they are stored: a class index, or f32 values. */
export interface TargetFormat {
  readonly kind: 'index' | 'dense';
  /** 4-byte elements a sample. */
  readonly length: number;
}

/** What a loss may name. */
export interface LossContext {
  /** The model's output, or the input of its softmax where the loss takes logits. */
  readonly output: TensorRef;
  /** Whether an activation at the end of the model was left to the loss: `output` is what goes into it. */
  readonly undone: boolean;
  readonly targets: BufferRef;
  /** f32 a class, where the plan's options have `classWeights`. */
  readonly classWeights?: BufferRef;
  /** f32 a sample: its weight divided by the batch. */
  readonly sampleScale: BufferRef;
  /** Where the gradient goes; undefined in evaluation. */
  readonly gradient: TensorRef | undefined;
  /** f64 a sample. */
  readonly losses: BufferRef;
  /** i32 a sample, 1 where the prediction is right. */
  readonly correct: BufferRef;
  /** f64 a sample, the mean error; only losses of numbers write it. */
  readonly errors: BufferRef;
  call(spec: KernelSpec, operands: readonly Operand[]): void;
}

/** A loss as the plan sees it. */
export interface LossPlan {
  readonly name: string;
  /** Whether a softmax at the end of the model, or what `activation` names, is left to the loss. */
  readonly takesLogits: boolean;
  readonly activation?: 'softmax' | 'sigmoid';
  /** Whether it tells errors instead of hits. */
  readonly regression?: boolean;
  /** Answers a sample, of which `correct` counts the right ones; default 1. */
  answers?(output: TensorRef): number;
  emit(context: LossContext): void;
}

/** Limits of gradients, applied between their reduction and the update. */
export interface ClipPlan {
  /** The L2 norm of each parameter's gradient, or of all of them together, or each element. */
  readonly by: 'norm' | 'globalNorm' | 'value';
  readonly limit: number;
}

/** An optimizer as the plan sees it: called as spec(parameter, gradient, ...slots, hyper, length). Plain data. */
export interface OptimizerPlan {
  readonly spec: KernelSpec;
  /** Names of its state tensors, each as large as the parameter. */
  readonly slots: readonly string[];
  /** What the slots begin with; default 0. */
  readonly initialState?: number;
  /** For parameters of these names (their own, or the beginning of the full one): the spec without weight decay. */
  readonly undecayed?: { readonly spec: KernelSpec; readonly names: readonly string[] };
  readonly clip?: ClipPlan;
  /** Whether a moving average of the weights is kept, as one more state tensor. */
  readonly average?: { readonly momentum: number };
}

/** The state tensor that holds the moving average. */
export const AVERAGE = 'average';

/** Names of all state tensors of an optimizer, its kernel's first. */
export function stateTensors({ slots, average }: OptimizerPlan): readonly string[] {
  return average === undefined ? slots : [...slots, AVERAGE];
}

/** The kernel spec for a parameter. */
export function specOf({ spec, undecayed }: OptimizerPlan, parameter: string): KernelSpec {
  if (undecayed === undefined) return spec;
  const own = parameter.slice(parameter.lastIndexOf('/') + 1);
  const excluded = undecayed.names.some((name) => name === own || parameter.startsWith(name));
  return excluded ? undecayed.spec : spec;
}

/** Floats of the optimizer's numbers of the step (`hyper`). */
export const HYPER_LENGTH = 4;

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
  readonly targets: BufferRef;
  /** f32 a sample: its weight divided by the batch. */
  readonly sampleScale: BufferRef;
  /** Where the gradient goes; undefined in evaluation. */
  readonly gradient: TensorRef | undefined;
  /** f64 a sample. */
  readonly losses: BufferRef;
  /** i32 a sample, 1 where the prediction is right. */
  readonly correct: BufferRef;
  call(spec: KernelSpec, operands: readonly Operand[]): void;
}

/** A loss as the plan sees it. */
export interface LossPlan {
  readonly name: string;
  /** Whether a softmax at the end of the model is left to the loss. */
  readonly takesLogits: boolean;
  emit(context: LossContext): void;
}

/** An optimizer as the plan sees it: called as spec(parameter, gradient, ...slots, hyper, length). */
export interface OptimizerPlan {
  readonly spec: KernelSpec;
  /** Names of its state tensors, each as large as the parameter. */
  readonly slots: readonly string[];
}

/** Floats of the optimizer's numbers of the step (`hyper`). */
export const HYPER_LENGTH = 4;

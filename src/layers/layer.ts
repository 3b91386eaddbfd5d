/**
 * The contract of a layer: one definition says its options, its output shape, its parameters, and its
 * forward and backward passes as kernel calls. Layers know nothing of workers, shards or addresses: they
 * name buffers, and the plan places them.
 */
import type { KernelSpec } from '../kernels/kernel.ts';
import type { Initializer } from '../tensor/initializers.ts';
import type { Shape } from '../tensor/shape.ts';
import type { View } from '../tensor/view.ts';
import type { Numerics } from './conv-algorithm.ts';
import { commonOptions, resolveKnown } from './layer-options.ts';
import type { Regularizer } from './regularizers.ts';
import { applyLayer, type SymbolicTensor } from './symbolic.ts';

/** Where a buffer lives, and how many copies of it there are. */
export type Scope =
  /** One copy as long as the model lives: parameters, running statistics, optimizer state, prepared copies. */
  | 'model'
  /** One copy, valid while a program runs: gradients over the whole batch. */
  | 'program'
  /** One copy for the whole batch, cut by samples: what must outlive a shard's unit. */
  | 'batch'
  /** The same, from the first phase that uses it to the last: what the plan moves out of a unit's scratch. */
  | 'phases'
  /** One copy a shard: its parameter gradients. */
  | 'shard'
  /** One copy a worker: activations, gradients and scratch of the unit in hand. */
  | 'unit'
  /** Written by the main thread for each step, double-buffered: samples, targets, step numbers. */
  | 'slot';

/** A buffer that the plan will place. */
export interface PlannedBuffer {
  readonly name: string;
  readonly scope: Scope;
  /** Bytes that do not depend on the number of samples. */
  readonly fixedBytes: number;
  /** Bytes a sample. */
  readonly sampleBytes: number;
  /** Bytes before the origin of the first sample (halo). */
  readonly originBytes: number;
  /** Buffers with halos share memory only with buffers of the same layout, so that zeros stay zeros. */
  readonly layout: string;
}

/** A place in a buffer: its origin plus bytes. */
export interface BufferRef {
  readonly buffer: PlannedBuffer;
  readonly offsetBytes: number;
}

/** An argument of a kernel call. 'count' is the unit's number of samples, 'firstSample' its first one's index. */
export type Operand = BufferRef | number | 'count' | 'firstSample';

/** One kernel call, before buffers have addresses. */
export interface PlannedCall {
  readonly spec: KernelSpec;
  readonly operands: readonly Operand[];
  /** Name of the layer that asked for it, for messages. */
  readonly layer?: string;
}

/** An activation or its gradient. `shape` is [H, W, C], [L, C] or [F]. */
export interface TensorRef {
  readonly shape: Shape;
  readonly view: View;
  readonly origin: BufferRef;
}

/** A gradient to be written (=), or added to (+=) where another consumer has written before. */
export interface GradientRef extends TensorRef {
  readonly accumulate: boolean;
}

/** A trained tensor or a buffer of a layer. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: Shape;
  /** False for buffers, such as running statistics: they are part of the weights, but no optimizer moves them. */
  readonly trained?: boolean;
  readonly initializer: Initializer;
  /** For the initialisers that scale by fan; default 1 and 1. */
  readonly fanIn?: number;
  readonly fanOut?: number;
  /** Whether each shard computes its own gradient ('shard', default) or one unit does for the whole batch. */
  readonly gradient?: 'shard' | 'batch';
  /** A penalty on its values; by default what the configuration's kernelRegularizer and biasRegularizer say. */
  readonly regularizer?: Regularizer;
}

/** What a forward pass may name. */
export interface ForwardContext<C> {
  /** The layer's name in its model. */
  readonly name: string;
  readonly config: C;
  /** 'train': the backward pass will follow; dropout is active. */
  readonly mode: 'train' | 'infer';
  /** The model's choice of algorithms. */
  readonly numerics: Numerics;
  /** Samples of a full batch. */
  readonly batchSize: number;
  /** False where the layer is frozen: nothing of it may change, running statistics included. */
  readonly trainable: boolean;
  readonly inputs: readonly TensorRef[];
  readonly output: TensorRef;
  /** Number of the training step, i32 [low, high]. */
  readonly step: BufferRef;
  parameter(name: string): BufferRef;
  /**
   * A copy of parameters in another arrangement, made once an update by `spec` with arguments (parameter, copy), or
   * (parameter, parameter, ..., copy) for several; `from`: the parameters' element to begin at, default 0.
   */
  prepared(
    name: string,
    parameter: string | readonly string[],
    elements: number,
    spec: KernelSpec,
    from?: number,
  ): BufferRef;
  /**
   * A buffer of f32 for what a later call of the layer will read, be it in the backward pass: the same in both passes
   * by name. What it holds before it is written is undefined.
   */
  saved(name: string, elementsPerSample: number): BufferRef;
  /** Scratch of this call only, independent of the number of samples. */
  scratch(elements: number): BufferRef;
  /** A buffer of f32 for the whole batch: what units over the batch hand to the shards, the same by name. */
  shared(name: string, elements: number): BufferRef;
  /**
   * Lets all shards come to this point, runs units over the whole batch (which read what `saved` holds, from sample 0
   * on, and `shared`), and lets the shards go on. Only while training: samples of inference are independent.
   */
  meet(units: readonly (readonly PlannedCall[])[]): void;
  /** Calls that change what the layer keeps, run once a step with the update of the weights, if there is one. */
  whileUpdating(calls: readonly PlannedCall[]): void;
  /** Key of this layer's stream of random numbers for a purpose. */
  streamKey(purpose: string): readonly [number, number];
  call(spec: KernelSpec, operands: readonly Operand[]): void;
}

/** What a backward pass may name besides. */
export interface BackwardContext<C> extends ForwardContext<C> {
  /** Gradient of the output; may be overwritten. */
  readonly gradOutput: TensorRef;
  /** Gradient of an input, or undefined where nothing needs it. Asking for it is a promise to write it. */
  gradInput(index?: number): GradientRef | undefined;
  /** Gradient of a parameter, or undefined where it is frozen. Asking for it is a promise to write it. */
  gradParameter(name: string): { readonly origin: BufferRef; readonly accumulate: boolean } | undefined;
  /** A unit of work over the whole batch, run after all shards: for gradients declared 'batch'. */
  batchUnit(calls: readonly PlannedCall[]): void;
}

/** Zeros that a layer wants around what it reads, in pixels. */
export interface HaloNeeds {
  readonly input?: number;
  /** Around the output's gradient, for the gradient of the input: needed only where that is asked for. */
  readonly gradOutput?: number;
  /** Around the output's gradient, for the gradients of parameters. */
  readonly gradOutputForParameters?: number;
}

/** A configuration and an input to try a layer on: what the conformance harness runs. */
export interface LayerExample<O> {
  readonly options: O;
  readonly inputShape: Shape;
  /** Shapes of the second input and of those after it, for layers of several inputs. */
  readonly otherInputShapes?: readonly Shape[];
}

/** Everything about a kind of layer. `O`: what users write, `C`: plain data with defaults filled in. */
export interface LayerDefinition<O = never, C = unknown> {
  /** The name in files and the stem of automatic names, e.g. 'conv2d'. */
  readonly type: string;
  /**
   * Checks the options and fills in defaults; throws ConfigError. Options that it neither reads nor passes on are refused
   * before. The result is options too, all of them plain data
   * that survives JSON, and `resolve` gives it back unchanged: files store it, and `load` sends it through here.
   */
  resolve(options: O, operation: string): C;
  /**
   * Whether the layer takes a list of two or more inputs; default: exactly one. All that the definition and its
   * passes are given for an input (`inputs`, `gradInput(index)`) comes in the order of that list. One tensor may be
   * there more than once.
   */
  readonly severalInputs?: boolean;
  /** Throws ShapeError. Shapes are without the batch: [H, W, C], [L, C] or [F]; one for each input. */
  outputShape(config: C, inputs: readonly Shape[], operation: string): Shape;
  parameters?(config: C, inputs: readonly Shape[]): readonly ParameterSpec[];
  halo?(config: C, inputs: readonly Shape[]): HaloNeeds;
  /** Whether the input and the output's gradient must outlive the shard (see `batchUnit`). */
  readonly wholeBatch?: boolean;
  /** Whether the output is the input under another shape (flatten): nothing is computed. */
  readonly reshape?: boolean;
  /**
   * Whether the output is the inputs' channels in order (concatenate). The plan then lays inputs out in their part of
   * the output where it can, so that `forward` and `backward` find them there and have nothing to copy.
   */
  readonly joinsChannels?: boolean;
  /**
   * The input's channel with which the output's channels begin, where they are some of the input's (sliceChannels). The
   * plan lays the output out in the input's memory where it can; then neither `forward` nor `backward` is called.
   */
  sliceFrom?(config: C): number;
  /** Whether the layer does nothing outside of training (dropout). */
  readonly trainingOnly?: boolean;
  /** Whether a sample's result while training depends on the other samples of its batch, and differs in inference. */
  readonly batchStatistics?: boolean;
  /** A layer that must follow: an activation that the kernels cannot fuse. */
  following?(config: C): Layer | undefined;
  forward?(context: ForwardContext<C>): void;
  /**
   * For layers that are cheap beside the memory of their output: emits again what makes the output of the inputs, to the
   * same bits, by what the forward pass has left (statistics). The plan may do that in the backward pass instead of
   * keeping the output; `output` is then another place.
   */
  recompute?(context: ForwardContext<C>): void;
  backward?(context: BackwardContext<C>): void;
  /** Multiply-adds of the forward pass, a sample. */
  multiplyAdds?(config: C, inputs: readonly Shape[]): number;
  readonly examples: readonly LayerExample<O>[];
}

/** A layer as a user makes it: a definition, its configuration, and perhaps a name. */
export interface Layer {
  readonly type: string;
  readonly name: string | undefined;
  readonly config: unknown;
  // biome-ignore lint/suspicious/noExplicitAny: a list of layers mixes configurations of all kinds.
  readonly definition: LayerDefinition<any, any>;
  /** Whether training changes its parameters; default true. */
  readonly trainable?: boolean;
  /** The model that the layer was taken from, with whose parameters it begins, and its name there. */
  readonly source?: { readonly name: string; readonly model: LayerSource };
  /** Whether its name may be that of a layer within a model within a model, 'encoder/conv2d'; default false. */
  readonly nested?: boolean;
}

/** A model that layers are taken from. */
export interface LayerSource {
  /** Names of the layers that training leaves alone. */
  readonly frozen: ReadonlySet<string>;
  /** Copies of all parameters by name. */
  getWeights(): Readonly<Record<string, { readonly data: Float32Array }>>;
}

/** A layer that can be called on the output of another one; called twice, it is shared: one set of parameters. */
export interface CallableLayer extends Layer {
  /**
   * The layer's output for this input, or for these: a tensor for `functional`. Throws ShapeError where the shapes
   * do not fit, ConfigError for anything but tensors and for a wrong number of them.
   */
  (inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor;
}

/** Options that every layer takes. */
export interface CommonOptions {
  /** Unique in the model; default: the type, then type_1, type_2, ... */
  readonly name?: string;
  /** Whether training changes the layer's parameters; default true. `Model.freeze` changes it later. */
  readonly trainable?: boolean;
}

/** What users call; the options may be left out where none is required. */
export type LayerFunction<O> = (
  ...options: Record<string, never> extends O ? [options?: O & CommonOptions] : [options: O & CommonOptions]
) => CallableLayer;

/**
 * Makes the function that users call. It throws ConfigError for options that `resolve` neither reads nor passes on. From
 * outside the package it works the same way: define a layer from existing kernels and use it like the built-in ones.
 *
 *     const double = defineLayer<{}, {}>({ type: 'double', resolve: () => ({}), ... });
 *     sequential({ inputShape: [8] }, [double({}), dense({ units: 2 })]);
 */
export function defineLayer<O, C>(
  definition: LayerDefinition<O, C>,
): LayerFunction<O> & { readonly definition: LayerDefinition<O, C> } {
  const make = (options: O & CommonOptions = {} as O & CommonOptions): CallableLayer => {
    const { name, trainable = true } = commonOptions(definition.type, options);
    const operation = name === undefined ? definition.type : `${definition.type} "${name}"`;
    const config = resolveKnown(definition, options, operation);
    return callable({ type: definition.type, name, config, definition, ...(!trainable && { trainable }) });
  };
  return Object.assign(make as LayerFunction<O>, { definition });
}

/** The layer as a function that carries the layer's own fields. */
function callable(layer: Layer): CallableLayer {
  const call = (inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor =>
    applyLayer(call as unknown as Layer, inputs);
  // A function's own `name` cannot be assigned, only defined.
  for (const [field, value] of Object.entries(layer)) {
    Object.defineProperty(call, field, { value, enumerable: true });
  }
  return call as unknown as CallableLayer;
}

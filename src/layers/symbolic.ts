/**
 * Symbolic tensors: what `input` returns and layers are called on. A tensor knows its shape (without the batch:
 * [H, W, C], [L, C] or [F]) and how it is made; nothing is computed until a model is built from inputs and outputs.
 */
import { ConfigError } from '../errors.ts';
import { checkOptions, type OptionNames } from '../known-options.ts';
import { checkInputShape, checkShape, type Shape } from '../tensor/shape.ts';
import type { Layer } from './layer.ts';

/** A place in a network: the output of a layer on its inputs, or an input of the model. */
export interface SymbolicTensor {
  readonly shape: Shape;
  /** The layer that makes it; undefined for an input of the model. */
  readonly layer: Layer | undefined;
  /** What the layer is called on; empty for an input of the model. */
  readonly inputs: readonly SymbolicTensor[];
  /** The name that an input was given. */
  readonly name: string | undefined;
  /** Grows with every call: layers run in the order in which they were called. */
  readonly order: number;
}

export interface InputOptions {
  /** [H, W, C] of an image, [L, C] of a sequence, or [F] of a vector. */
  readonly shape: Shape;
  /** Default 'input', 'input_1', ... in the model. */
  readonly name?: string;
}

const INPUT_OPTIONS: OptionNames<InputOptions> = { shape: true, name: true };

let lastOrder = 0;

/**
 * An input of a functional model. Throws ShapeError unless the shape is [H, W, C], [L, C] or [F], ConfigError for other
 * options.
 */
export function input(options: InputOptions): SymbolicTensor {
  checkOptions('input', options, INPUT_OPTIONS);
  const { shape, name } = options;
  checkInputShape('input', 'shape', shape);
  lastOrder += 1;
  return { shape: [...shape], layer: undefined, inputs: [], name, order: lastOrder };
}

/** The output of a layer on tensors. Throws ShapeError and ConfigError, naming the layer. */
export function applyLayer(layer: Layer, inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor {
  const { definition, config } = layer;
  const operation = layer.name === undefined ? layer.type : `${layer.type} "${layer.name}"`;
  const list: readonly SymbolicTensor[] = Array.isArray(inputs) ? [...inputs] : [inputs as SymbolicTensor];
  for (const tensor of list) checkTensor(operation, 'inputs', tensor);
  checkInputCount(layer, list.length, operation);
  const shapes = list.map(({ shape }) => shape);
  let shape = definition.outputShape(config, shapes, operation);
  const following = definition.following?.(config);
  if (following !== undefined) shape = following.definition.outputShape(following.config, [shape], operation);
  checkShape(operation, 'output shape', shape);
  lastOrder += 1;
  return { shape, layer, inputs: list, name: undefined, order: lastOrder };
}

/** Throws ConfigError unless the layer takes so many inputs. */
export function checkInputCount({ definition }: Layer, count: number, operation: string): void {
  if (definition.severalInputs ? count >= 2 : count === 1) return;
  throw new ConfigError({
    operation,
    argument: 'inputs',
    expected: definition.severalInputs ? 'a list of two or more tensors' : 'one tensor',
    received: String(count),
  });
}

/** Throws ConfigError unless `value` is a symbolic tensor. */
export function checkTensor(operation: string, argument: string, value: unknown): void {
  const found = value as Partial<SymbolicTensor> | null | undefined;
  if (
    typeof found === 'object' &&
    found !== null &&
    Array.isArray(found.shape) &&
    Array.isArray(found.inputs)
  ) {
    return;
  }
  throw new ConfigError({
    operation,
    argument,
    expected: 'tensors, as input(...) and layers called on tensors return them',
    received: typeof value === 'function' ? 'a layer that was not called' : String(value),
  });
}

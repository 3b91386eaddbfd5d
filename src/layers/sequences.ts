/**
 * Sequences [L, C] as images of one row, so that the kernels for images serve layers of one axis: the row's columns are
 * the sequence's steps.
 */
import { ConfigError, formatValue, ShapeError } from '../errors.ts';
import type { Padding, PaddingOption } from '../tensor/convolution.ts';
import { checkShape, formatShape, type Shape } from '../tensor/shape.ts';

/** 'same': ceil(L/stride) outputs, an odd step of padding goes after; 'valid': none; or steps on each side. */
export type SequencePadding = 'same' | 'valid' | { readonly left: number; readonly right: number };

/** [1, L, C]; throws ShapeError for anything but a sequence. */
export function rowShape(operation: string, input: Shape): Shape {
  if (input.length !== 2) {
    throw new ShapeError({
      operation,
      argument: 'input shape',
      expected: 'a sequence [L, C]',
      received: formatShape(input),
      ...(input.length === 1 && { hint: 'put reshape({ targetShape: [-1, 1] }) before it' }),
    });
  }
  checkShape(operation, 'input shape', input, 2);
  return [1, ...input];
}

/** A count along the sequence as [rows, columns]. */
export function alongRow(steps: number): readonly [number, number] {
  return [1, steps];
}

/** The option for images of one row. */
export function rowPadding(padding: SequencePadding): PaddingOption {
  return typeof padding === 'string' ? padding : { top: 0, bottom: 0, ...padding };
}

/** Steps of padding: 'same' is not among what must be checked, as its windows always fit. */
type PaddedSteps = Exclude<SequencePadding, 'same'>;

function stepsOf(padding: PaddedSteps): { readonly left: number; readonly right: number } {
  return padding === 'valid' ? { left: 0, right: 0 } : padding;
}

/** Throws ShapeError unless a window of so many steps fits into the padded sequence. */
export function checkWindowFits(
  operation: string,
  [length]: Shape,
  steps: number,
  padding: SequencePadding,
  option: 'kernelSize' | 'poolSize',
): void {
  if (padding === 'same') return;
  const { left, right } = stepsOf(padding);
  const padded = length! + left + right;
  if (padded >= steps) return;
  throw new ShapeError({
    operation,
    argument: 'input shape',
    expected: `a sequence of at least ${steps} steps with its padding`,
    received: String(padded),
    hint: `use padding: 'same' or a smaller ${option}`,
  });
}

/** Throws ShapeError where a window of `steps` would lie in the padding alone. */
export function checkWindowCovers(
  operation: string,
  [length]: Shape,
  { steps, strides }: { readonly steps: number; readonly strides: number },
  padding: SequencePadding,
): void {
  if (padding === 'same') return;
  const { left, right } = stepsOf(padding);
  const last = Math.floor((length! + left + right - steps) / strides) * strides - left;
  if (left < steps && last < length!) return;
  throw new ShapeError({
    operation,
    argument: 'padding',
    expected: `windows of ${steps} steps that always cover part of the sequence`,
    received: `${left} steps before and ${right} after it`,
    hint: 'pad by less than the window on each side',
  });
}

/** Returns `padding` where it makes sense; throws ConfigError. `names`: the words that are allowed, for its message. */
export function checkSequencePadding(
  operation: string,
  padding: SequencePadding,
  names = "'same', 'valid'",
): SequencePadding {
  if (padding === 'same' || padding === 'valid') return padding;
  const { left, right } = Object(padding) as Partial<Padding>;
  const isCount = (steps: unknown) => Number.isInteger(steps) && (steps as number) >= 0;
  if (isCount(left) && isCount(right)) return { left: left!, right: right! };
  throw new ConfigError({
    operation,
    argument: 'padding',
    expected: `${names} or { left, right } in whole steps`,
    received: formatValue(padding),
  });
}

/** Pixels on the four sides of an image, as users of padding and cropping layers write them. */
import { ConfigError, formatValue } from '../errors.ts';
import type { Padding } from '../tensor/convolution.ts';

/**
 * One number for all sides; [vertical, horizontal]; [[top, bottom], [left, right]], as in Keras; or by name.
 * Whole pixels, none negative.
 */
export type Margins =
  | number
  | readonly [number, number]
  | readonly [readonly [number, number], readonly [number, number]]
  | Padding;

/** The four sides by name; throws ConfigError. */
export function resolveMargins(operation: string, argument: string, margins: Margins): Padding {
  const sides = sidesOf(margins);
  if (sides?.every((pixels) => Number.isInteger(pixels) && pixels >= 0)) {
    const [top, right, bottom, left] = sides as [number, number, number, number];
    return { top, right, bottom, left };
  }
  throw new ConfigError({
    operation,
    argument,
    expected: 'whole pixels: one number, two, [[top, bottom], [left, right]] or { top, right, bottom, left }',
    received: formatValue(margins),
  });
}

/** [top, right, bottom, left], or undefined where the option has another form. */
function sidesOf(margins: Margins): readonly number[] | undefined {
  if (typeof margins === 'number') return [margins, margins, margins, margins];
  if (Array.isArray(margins)) {
    if (margins.length !== 2) return undefined;
    const [[top, bottom, ...more], [left, right, ...others]] = margins.map((each) =>
      Array.isArray(each) ? each : [each, each],
    ) as [number[], number[]];
    return more.length + others.length > 0 ? undefined : [top!, right!, bottom!, left!];
  }
  if (typeof margins !== 'object' || margins === null) return undefined;
  const { top, right, bottom, left } = margins as Padding;
  return [top, right, bottom, left];
}

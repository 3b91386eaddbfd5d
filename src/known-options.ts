/**
 * Names of options. In plain JavaScript nothing else notices a misspelt one, and what it should have changed would
 * silently keep its default.
 */
import { ConfigError, formatValue } from './errors.ts';

/** The names of all members of `T`; the compiler sees to it that none is missing and none too many. */
export type OptionNames<T> = Readonly<Record<keyof Required<T>, true>>;

/**
 * Throws ConfigError unless `options` is an object whose members, but for undefined ones, all are `known`. `others`: what
 * is passed over besides, because the object may have been made for another function, too.
 */
export function checkOptions<T>(
  operation: string,
  options: T,
  known: OptionNames<NoInfer<T>>,
  others: Readonly<Record<string, true>> = {},
): void {
  const names = Object.keys(known);
  const strange = unknownOptions(operation, options, names).filter((name) => !Object.hasOwn(others, name));
  if (strange.length > 0) throw unknownOption(operation, strange[0]!, names);
}

/** Names of members that are neither known nor undefined. Throws ConfigError for anything but an object. */
export function unknownOptions(operation: string, options: unknown, known: readonly string[]): string[] {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigError({
      operation,
      argument: 'options',
      expected: `an object of ${known.join(', ')}`,
      received: formatValue(options),
    });
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return given.map(([name]) => name).filter((name) => !known.includes(name));
}

/** The error about an option that there is not. */
export function unknownOption(operation: string, name: string, known: readonly string[]): ConfigError {
  const nearest = nearestName(name, known);
  return new ConfigError({
    operation,
    argument: 'options',
    expected: known.length === 0 ? 'none' : `only ${known.join(', ')}`,
    received: JSON.stringify(name),
    ...(nearest !== undefined && { hint: `did you mean ${nearest}?` }),
  });
}

/** The name that a misspelt one probably means: Keras' spelling with underscores, or at most a third of it wrong. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.replaceAll('_', '').toLowerCase();
  const ranked = known
    .map((each) => ({ each, distance: editDistance(plain(name), plain(each)) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && 3 * best.distance <= best.each.length ? best.each : undefined;
}

/** How many letters to insert, delete or replace (Levenshtein 1966). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

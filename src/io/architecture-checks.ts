/** How an architecture from a file is refused: FormatError with the member at fault. */
import { FaltungError, FormatError } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from './json-value.ts';

/** Throws FormatError unless `data` is an object with these members, perhaps the optional ones, and no others. */
export function checkMembers(
  operation: string,
  where: string,
  data: Json,
  names: readonly string[],
  optional: readonly string[] = [],
): asserts data is JsonObject {
  if (!isJsonObject(data)) throw invalid(operation, where, 'an object', data);
  const strange = Object.keys(data).find((key) => !names.includes(key) && !optional.includes(key));
  const missing = names.find((name) => !Object.hasOwn(data, name));
  if (strange === undefined && missing === undefined) return;
  const received = strange === undefined ? `none called ${missing}` : JSON.stringify(strange);
  throw new FormatError({ operation, argument: where, expected: `members ${names.join(', ')}`, received });
}

/** Runs what refuses a stranger's data in its own words, or trips over them; throws FormatError in any case. */
export function asFormatError<T>(operation: string, where: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    if (!(cause instanceof FaltungError)) {
      const received = `values it cannot use: ${cause instanceof Error ? cause.message : String(cause)}`;
      throw new FormatError({ operation, argument: where, expected: 'a valid model', received }, { cause });
    }
    const { argument, expected, received } = cause.details;
    const place = [where, cause.details.operation, argument].filter((part) => part !== undefined).join(', ');
    // Layers print some values as they are: an empty text would be invisible.
    const shown = received === '' ? '""' : received;
    throw new FormatError({ operation, argument: place, expected, received: shown }, { cause });
  }
}

/** A FormatError about a value, shortened where it is long. */
export function invalid(
  operation: string,
  argument: string,
  expected: string,
  received: unknown,
  hint?: string,
): FormatError {
  const text = JSON.stringify(received) ?? 'none';
  return new FormatError({
    operation,
    argument,
    expected,
    received: text.length > 200 ? `${text.slice(0, 200)}...` : text,
    ...(hint !== undefined && { hint }),
  });
}

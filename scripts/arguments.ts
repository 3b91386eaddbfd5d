/** What the command lines of the scripts share. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { ConfigError } from '../src/errors.ts';

/** An option with a value, and one without, as parseArgs describes them. */
export const text = { type: 'string' } as const;
export const flag = { type: 'boolean' } as const;

/** Reads options, nothing else. Throws ConfigError that tells what parseArgs did not take. */
export function readArguments<Options extends NonNullable<ParseArgsConfig['options']>>(
  operation: string,
  args: readonly string[],
  options: Options,
) {
  return parse(operation, () =>
    parseArgs({ args: [...args], strict: true, allowPositionals: false, options }),
  ).values;
}

/** Reads options, and words that belong to none, such as files. Throws ConfigError as `readArguments`. */
export function readWithWords<Options extends NonNullable<ParseArgsConfig['options']>>(
  operation: string,
  args: readonly string[],
  options: Options,
) {
  return parse(operation, () =>
    parseArgs({ args: [...args], strict: true, allowPositionals: true, options }),
  );
}

function parse<T>(operation: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new ConfigError({
      operation,
      argument: 'options',
      expected: 'what --help lists',
      received: error instanceof Error ? error.message : String(error),
    });
  }
}

/** A whole number from the text of `--name`; undefined where there is none. Throws ConfigError. */
export function wholeNumber(
  operation: string,
  name: string,
  value: string | undefined,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= least && number <= most) return number;
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`;
  throw new ConfigError({
    operation,
    argument: `--${name}`,
    expected: `a whole number ${range}`,
    received: JSON.stringify(value),
  });
}

/** One of the choices, from the text of `--name`; undefined where there is none. Throws ConfigError. */
export function choice<T extends string>(
  operation: string,
  name: string,
  value: string | undefined,
  choices: readonly T[],
): T | undefined {
  if (value === undefined) return undefined;
  if ((choices as readonly string[]).includes(value)) return value as T;
  throw new ConfigError({
    operation,
    argument: `--${name}`,
    expected: choices.join(' or '),
    received: JSON.stringify(value),
  });
}

/** A number from the text of `--name`; undefined where there is none. Throws ConfigError. */
export function decimal(
  operation: string,
  name: string,
  value: string | undefined,
  range: { readonly least: number; readonly below?: number; readonly above?: boolean },
): number | undefined {
  if (value === undefined) return undefined;
  const { least, below = Number.POSITIVE_INFINITY, above = false } = range;
  const number = Number(value);
  const written = /^\d*\.?\d+(e[+-]?\d+)?$/i.test(value) && Number.isFinite(number);
  if (written && (above ? number > least : number >= least) && number < below) return number;
  const from = above ? `above ${least}` : `from ${least} on`;
  throw new ConfigError({
    operation,
    argument: `--${name}`,
    expected: `a number ${from}${below === Number.POSITIVE_INFINITY ? '' : `, below ${below}`}`,
    received: JSON.stringify(value),
  });
}

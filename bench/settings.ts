/** The command line of the benchmarks: its options, their defaults and checks. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { ConfigError } from '../src/errors.ts';

/** What the command was asked to do. */
export interface Settings {
  /** Names of suites; empty: all of them. */
  readonly filter: readonly string[];
  /** Where the figures go for machines. */
  readonly json: string | undefined;
  /** Short runs: to see that all works, not to quote. */
  readonly quick: boolean;
  /** Suites that run on threads go from 1 to so many. */
  readonly threads: number;
  /** CIFAR-10's folder, or 'synthetic'. */
  readonly data: string;
  readonly help: boolean;
}

export const HELP = `Measures Faltung on this machine.

  npm run bench -- [options]

  --filter NAME[,NAME]  only these suites: micro, convolution, kernels, step, training, inference,
                        networks
  --json FILE           writes all figures there (bench/README.md says what the fields mean)
  --quick               short runs: to see that everything works, not to quote
  --threads N           training, inference and networks on 1 to N threads (default: all processors)
  --data DIR            CIFAR-10's folder for those (default: drawn images)
  --help                this text
`;

/** Reads the arguments after the script's name. Throws ConfigError that names the option. */
export function parseSettings(args: readonly string[]): Settings {
  const { values } = readArguments(args);
  return {
    filter: values.filter === undefined ? [] : values.filter.split(',').filter((name) => name !== ''),
    json: values.json,
    quick: values.quick ?? false,
    threads: wholeNumber('threads', values.threads, 1) ?? availableParallelism(),
    data: values.data ?? 'synthetic',
    help: values.help ?? false,
  };
}

function readArguments(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: { filter: text, json: text, quick: flag, threads: text, data: text, help: flag },
    });
  } catch (error) {
    throw new ConfigError({
      operation: 'bench',
      argument: 'options',
      expected: 'what --help lists',
      received: error instanceof Error ? error.message : String(error),
    });
  }
}

/** A whole number from an option's text. Throws ConfigError. */
export function wholeNumber(name: string, value: string | undefined, least: number): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (/^\d+$/.test(value) && Number.isSafeInteger(number) && number >= least) return number;
  throw new ConfigError({
    operation: 'bench',
    argument: `--${name}`,
    expected: `a whole number from ${least} on`,
    received: JSON.stringify(value),
  });
}

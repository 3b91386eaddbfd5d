/** The command line of the mutation run: its options, their defaults and checks. */
import { flag, readArguments, text, wholeNumber } from '../arguments.ts';

/** What the command was asked to do. */
export interface MutateOptions {
  readonly count: number;
  readonly seed: number;
  /** Only files that this glob names. */
  readonly files: string | undefined;
  /** Tries survivors of earlier runs again. */
  readonly again: boolean;
  /** Lists the mutants instead of trying them. */
  readonly list: boolean;
  readonly help: boolean;
}

export const HELP = `Makes small mistakes in kernels and parsers, one at a time, and sees whether a test fails.

  npm run mutate -- [options]

  --count N      mutants to try; default 200
  --seed S       which ones; default 21
  --files GLOB   only of these files, such as 'src/kernels/simd/micro-*.ts'
  --again        tries again what survived earlier runs (after new tests)
  --list         prints the mutants without trying them
  --help         this text

Tests run in a copy of the repository. Outcomes are in runs/mutate/; the same command goes on where it ended.
scripts/mutate/survivors.json explains mutants that compute the same; they are tried on the five nearest tests, with
--again on all. Exit codes: 0 at least 95% of the others caught,
1 fewer, 2 wrong options, 130 interrupted.
`;

/** Reads the arguments after the script's name. Throws ConfigError that names the option. */
export function parseMutateOptions(args: readonly string[]): MutateOptions {
  const values = readArguments('mutate', args, {
    count: text,
    seed: text,
    files: text,
    again: flag,
    list: flag,
    help: flag,
  });
  return {
    count: wholeNumber('mutate', 'count', values.count, 1) ?? 200,
    seed: wholeNumber('mutate', 'seed', values.seed, 0, 2 ** 31 - 1) ?? 21,
    files: values.files,
    again: values.again ?? false,
    list: values.list ?? false,
    help: values.help ?? false,
  };
}

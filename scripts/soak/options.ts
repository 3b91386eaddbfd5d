/** The command line of the soaks: its options, their defaults and checks. */
import { flag, readArguments, text, wholeNumber } from '../arguments.ts';

/** What the command was asked to do. */
export interface SoakOptions {
  /** A soak's name, or 'list'. */
  readonly what: string;
  readonly count: number | undefined;
  readonly seed: number;
  /** The only trial to run. */
  readonly index: number | undefined;
  readonly fresh: boolean;
  readonly help: boolean;
}

export const HELP = `Tries one subject very many times.

  npm run soak -- --what NAME [options]
  npm run soak -- --what list

  --what NAME   the subject; 'list' shows all with their claims and counts
  --count N     trials in all; default: the subject's full count
  --seed S      decides, with a trial's index, all about it; default 21
  --index I     only trial I of this seed: replays a failure, with its stack
  --fresh       starts over; without it a run goes on where the last one ended
  --help        this text

How far it has come is in runs/soak/NAME.json. Ctrl-C ends the run after the trial in hand; the same command
continues it. Exit codes: 0 all passed, 1 failures, 2 wrong options, 130 interrupted.
`;

/** Reads the arguments after the script's name. Throws ConfigError that names the option. */
export function parseSoakOptions(args: readonly string[]): SoakOptions {
  const values = readArguments('soak', args, {
    what: text,
    count: text,
    seed: text,
    index: text,
    fresh: flag,
    help: flag,
  });
  return {
    what: values.what ?? 'list',
    count: wholeNumber('soak', 'count', values.count, 1),
    seed: wholeNumber('soak', 'seed', values.seed, 0, 2 ** 31 - 1) ?? 21,
    index: wholeNumber('soak', 'index', values.index, 0),
    fresh: values.fresh ?? false,
    help: values.help ?? false,
  };
}

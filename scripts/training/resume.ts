/** Going on with a run: its own options, and the few that may be others. */
import { ConfigError } from '../../src/errors.ts';
import type { TrainingOptions } from './options.ts';

/** Options that `--resume` may be given with. */
const WITH_RESUME = ['resume', 'epochs', 'threads', 'engine', 'checkpoint-every', 'ui', 'help'];

/** Throws ConfigError where `--resume` is given with options that would make it another run. */
export function checkResume(command: string, values: Readonly<Record<string, unknown>>): void {
  const { resume } = values;
  if (resume === undefined) return;
  const other = Object.keys(values).find((name) => !WITH_RESUME.includes(name));
  if (other === undefined && resume !== '') return;
  throw new ConfigError({
    operation: command,
    argument: '--resume',
    expected: resume === '' ? "a run's folder" : 'only options that leave the run the same beside it',
    received: resume === '' ? 'none' : `--${other}`,
  });
}

/** The options of a run that goes on: its own, and what of `given` may change. `values`: as they were typed. */
export function resumedOptions<Options extends TrainingOptions>(
  run: Options,
  given: Options,
  values: Readonly<Record<string, unknown>>,
): Options {
  return {
    ...run,
    epochs: values.epochs === undefined ? run.epochs : given.epochs,
    threads: given.threads,
    engine: given.engine,
    checkpointEvery: given.checkpointEvery ?? run.checkpointEvery,
    ui: given.ui,
    resume: given.resume,
  };
}

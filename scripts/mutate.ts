/** `npm run mutate`: whether the tests notice small mistakes in kernels, emitters, updates and parsers. */
import { matchesGlob, resolve } from 'node:path';
import { ConfigError } from '../src/errors.ts';
import { readSources } from './check/files.ts';
import type { SourceFile } from './check/offence.ts';
import { groupOf } from './mutate/groups.ts';
import { type Mutant, mutantsOf } from './mutate/mutants.ts';
import { HELP, type MutateOptions, parseMutateOptions } from './mutate/options.ts';
import {
  caughtShare,
  disproved,
  formatMutant,
  formatReport,
  LEAST_CAUGHT,
  type Tried,
} from './mutate/report.ts';
import { sampleMutants } from './mutate/sample.ts';
import { openSandbox } from './mutate/sandbox.ts';
import { keyOf, readMutationState, writeMutationState } from './mutate/state.ts';
import { readSurvivors, reasonFor } from './mutate/survivors.ts';
import { tryMutant } from './mutate/trial.ts';

/** Tests on which a mutant is tried that the list explains: enough to show where the explanation is wrong. */
const OF_EXPLAINED = 5;

const EXIT = { failed: 1, usage: 2, interrupted: 130 } as const;
const root = resolve(import.meta.dirname, '..');

const say = (text: string) => process.stdout.write(`${text}\n`);

function chosen(sources: readonly SourceFile[], { files, count, seed }: MutateOptions): Mutant[] {
  const mutated = sources.filter(({ path }) =>
    files === undefined ? groupOf(path) !== undefined : path.startsWith('src/') && matchesGlob(path, files),
  );
  if (mutated.length === 0) {
    throw new ConfigError({
      operation: 'mutate',
      argument: '--files',
      expected: 'a glob that names some file in src/',
      received: JSON.stringify(files),
    });
  }
  const all = mutated.flatMap(({ path, text }) => mutantsOf(path, text));
  return sampleMutants(all, count, seed);
}

async function run(options: MutateOptions): Promise<number> {
  const sources = readSources(root);
  const textOf = new Map(sources.map(({ path, text }) => [path, text]));
  const mutants = chosen(sources, options);
  if (options.list) {
    for (const mutant of mutants) say(formatMutant(mutant));
    return 0;
  }
  const file = `runs/mutate/seed-${options.seed}.json`;
  const state = readMutationState(file);
  const sandbox = openSandbox(root);
  let stopped = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      stopped = true;
      sandbox.interrupt();
    });
  }
  const list = readSurvivors();
  const tried: Tried[] = [];
  try {
    for (const [i, mutant] of mutants.entries()) {
      const key = keyOf(mutant, textOf.get(mutant.file)!);
      const known = state.outcomes[key];
      if (known !== undefined && !(options.again && known.status === 'survived')) {
        tried.push({ mutant, outcome: known });
        continue;
      }
      if (stopped) break;
      const most = reasonFor(list, mutant) === undefined || options.again ? undefined : OF_EXPLAINED;
      const outcome = await tryMutant(sandbox, sources, mutant, state.baselines, most);
      if (outcome === undefined) break;
      state.outcomes[key] = outcome;
      writeMutationState(file, state);
      tried.push({ mutant, outcome });
      const { status, by = '', seconds } = outcome;
      say(`${i + 1}/${mutants.length} ${status} in ${seconds.toFixed(1)} s: ${formatMutant(mutant)}`);
      if (by !== '') say(`    ${by}`);
    }
  } finally {
    sandbox.close();
  }
  say(`\n${formatReport(tried, list)}`);
  if (tried.length < mutants.length) {
    say(`Stopped after ${tried.length} of ${mutants.length}; the same command goes on.`);
    return EXIT.interrupted;
  }
  return caughtShare(tried, list) >= LEAST_CAUGHT && disproved(tried, list).length === 0 ? 0 : EXIT.failed;
}

async function main(): Promise<number> {
  try {
    const options = parseMutateOptions(process.argv.slice(2));
    if (options.help) process.stdout.write(HELP);
    else return await run(options);
    return 0;
  } catch (error) {
    const usage = error instanceof ConfigError;
    process.stderr.write(`${usage ? error.message : error instanceof Error ? error.stack : error}\n`);
    return usage ? EXIT.usage : EXIT.failed;
  }
}

process.exitCode = await main();

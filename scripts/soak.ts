/** `npm run soak`: one subject, very many trials; resumable, and every failure replays by its index. */
import { ConfigError } from '../src/errors.ts';
import { soaks } from './soak/index.ts';
import { HELP, parseSoakOptions, type SoakOptions } from './soak/options.ts';
import { soakProgress } from './soak/progress.ts';
import { replayTrial, runSoak } from './soak/run.ts';
import type { Soak } from './soak/soak.ts';
import { freshState, readState, type SoakState, writeState } from './soak/state.ts';
import { formatFigures, summarize } from './soak/summary.ts';

const EXIT = { failed: 1, usage: 2, interrupted: 130 } as const;
/** Milliseconds between two writes of the state. */
const KEEP_MS = 2000;

const say = (text: string) => process.stdout.write(`${text}\n`);

function list(): void {
  const width = Math.max(...soaks.map(({ name }) => name.length));
  for (const { name, count, unit, claim } of soaks) say(`${name.padEnd(width)}  ${claim} (${count} ${unit})`);
}

/** The soak of this name. Throws ConfigError. */
function find(what: string): Soak {
  const soak = soaks.find(({ name }) => name === what);
  if (soak !== undefined) return soak;
  throw new ConfigError({
    operation: 'soak',
    argument: '--what',
    expected: `list, ${soaks.map(({ name }) => name).join(' or ')}`,
    received: JSON.stringify(what),
  });
}

/** The state to go on from. Throws ConfigError where it belongs to another seed. */
function openState(soak: Soak, { seed, fresh }: SoakOptions, file: string): SoakState {
  const old = fresh ? undefined : readState(file);
  if (old === undefined) return freshState(soak.name, seed);
  if (old.seed === seed && old.what === soak.name) return old;
  throw new ConfigError({
    operation: 'soak',
    argument: '--seed',
    expected: `${old.seed}, of the run in ${file}`,
    received: String(seed),
    hint: '--fresh starts over',
  });
}

async function run(soak: Soak, options: SoakOptions, signal: AbortSignal): Promise<number> {
  const file = `runs/soak/${soak.name}.json`;
  const count = options.count ?? soak.count;
  const state = openState(soak, options, file);
  if (state.next >= count) {
    say(`Done already (--fresh starts over):\n${summarize(soak, state, file)}`);
    return state.failed === 0 ? 0 : EXIT.failed;
  }
  if (state.next > 0) say(`Going on after ${state.next} ${soak.unit}, ${state.failed} failed.`);
  // What cannot be written is noticed before an hour of trials, not after it.
  writeState(file, state);
  const progress = soakProgress(soak, state, count);
  let written = performance.now();
  try {
    await runSoak(soak, state, {
      count,
      signal,
      onProgress(at) {
        progress.show(at);
        if (performance.now() - written < KEEP_MS) return;
        writeState(file, at);
        written = performance.now();
      },
    });
  } finally {
    progress.stop();
    writeState(file, state);
  }
  say(summarize(soak, state, file));
  if (state.next < count) {
    say(`Stopped after ${state.next} of ${count}; the same command without --fresh goes on.`);
    return EXIT.interrupted;
  }
  return state.failed === 0 ? 0 : EXIT.failed;
}

async function replay(soak: Soak, { seed, index }: SoakOptions): Promise<number> {
  const state = await replayTrial(soak, seed, index!);
  const figures = formatFigures(state);
  say(`${soak.name}, seed ${seed}, index ${index}: passed${figures === '' ? '' : `, ${figures}`}`);
  return 0;
}

/** Ctrl-C ends the run after the trial in hand; a second one at once. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT.interrupted);
      controller.abort();
    });
  }
  return controller.signal;
}

async function main(): Promise<number> {
  try {
    const options = parseSoakOptions(process.argv.slice(2));
    if (options.help) process.stdout.write(HELP);
    else if (options.what === 'list') list();
    else if (options.index !== undefined) return await replay(find(options.what), options);
    else return await run(find(options.what), options, interruptSignal());
    return 0;
  } catch (error) {
    const usage = error instanceof ConfigError && error.details.operation === 'soak';
    const text = usage ? error.message : String(error instanceof Error ? error.stack : error);
    process.stderr.write(`${text}\n`);
    return usage ? EXIT.usage : EXIT.failed;
  }
}

process.exitCode = await main();

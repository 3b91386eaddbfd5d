/** `npm run bench`: measures, prints tables, writes the figures as JSON. */
import { writeFileSync } from 'node:fs';
import { styleText } from 'node:util';
import { ConfigError, FaltungError } from '../src/errors.ts';
import { loadImages } from './children/images.ts';
import { describeEnvironment, type Environment, formatEnvironment } from './environment.ts';
import { compileTiles, type TileKernel } from './micro-kernel.ts';
import { progressLine } from './progress.ts';
import { HELP, parseSettings, type Settings } from './settings.ts';
import type { Context, Suite } from './suite.ts';
import { suites } from './suites/index.ts';
import { type Effort, timeTasks } from './timing.ts';

const EFFORT: Readonly<Record<'quick' | 'full', Effort>> = {
  quick: { milliseconds: 20, rounds: 1 },
  full: { milliseconds: 150, rounds: 3 },
};

/** The file that `--json` writes; bench/README.md documents it. */
interface BenchFile {
  readonly format: 'faltung-bench';
  readonly version: 1;
  readonly environment: Environment;
  readonly settings: Pick<Settings, 'quick' | 'threads' | 'data'>;
  readonly suites: Record<string, unknown>;
}

function chosenSuites(filter: readonly string[]): readonly Suite[] {
  const names = suites.map(({ name }) => name);
  const unknown = filter.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new ConfigError({
      operation: 'bench',
      argument: '--filter',
      expected: `some of ${names.join(', ')}`,
      received: unknown,
    });
  }
  return filter.length === 0 ? suites : suites.filter(({ name }) => filter.includes(name));
}

/** The tile that does best in a short trial; the suites time it again beside what they measure. */
function fastestTile(effort: Effort): TileKernel {
  const kernels = compileTiles();
  const trial = { ...effort, milliseconds: effort.milliseconds / 4 };
  const timings = timeTasks(Object.fromEntries(kernels.map(({ run }, i) => [String(i), run])), trial);
  const rate = (i: number) => kernels[i]!.flops / timings.get(String(i))!.seconds;
  return kernels[kernels.map((_, i) => i).reduce((best, i) => (rate(i) > rate(best) ? i : best))]!;
}

async function measure(settings: Settings): Promise<void> {
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const selected = chosenSuites(settings.filter);
  await loadImages(settings.data, 1);
  const environment = describeEnvironment();
  const line = progressLine();
  const effort = EFFORT[settings.quick ? 'quick' : 'full'];
  let tile: TileKernel | undefined;
  const context: Context = {
    settings,
    effort,
    repeats: settings.quick ? 1 : 3,
    yardstick: () => {
      tile ??= fastestTile(effort);
      return tile;
    },
    progress: line.show,
  };
  say(formatEnvironment(environment));
  if (settings.quick) say('Short runs: these figures show that everything works and nothing else.');
  const results: Record<string, unknown> = {};
  for (const suite of selected) {
    const result = await suite.run({ ...context, progress: (text) => line.show(`${suite.name}: ${text}`) });
    results[suite.name] = result;
    line.clear();
    say(`\n${styleText('bold', suite.title)}\n\n${suite.format(result)}`);
    if (settings.json !== undefined) writeFigures(settings, environment, results);
  }
  if (settings.json !== undefined) say(`\nWritten: ${settings.json}`);
}

/** After each suite, so that a run that is broken off leaves what it has. */
function writeFigures(settings: Settings, environment: Environment, results: Record<string, unknown>): void {
  const { quick, threads, data } = settings;
  const file: BenchFile = {
    format: 'faltung-bench',
    version: 1,
    environment,
    settings: { quick, threads, data: data === 'synthetic' ? data : 'cifar10' },
    suites: results,
  };
  writeFileSync(settings.json!, `${JSON.stringify(file, null, 2)}\n`);
}

async function main(): Promise<number> {
  try {
    const settings = parseSettings(process.argv.slice(2));
    if (settings.help) process.stdout.write(HELP);
    else await measure(settings);
    return 0;
  } catch (error) {
    if (!(error instanceof FaltungError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error instanceof ConfigError ? 2 : 1;
  }
}

process.exitCode = await main();

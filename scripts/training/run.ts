/** A training run from the command line: trains, shows how it goes, and fills the run's folder. */
import path from 'node:path';
import {
  type Callback,
  createEngine,
  csvLogger,
  type Dataset,
  type Engine,
  type History,
  jsonlLogger,
  type Model,
  modelCheckpoint,
  type StepProgress,
  weightsSha256,
} from '../../src/index.ts';
import { type GradientNorms, gradientNorms } from '../../src/report/index.ts';
import { count, EXIT, shellQuoted } from '../command.ts';
import type { Interrupt } from './interrupt.ts';
import type { Arguments, TrainingOptions } from './options.ts';
import { createProgress } from './progress.ts';
import { describeRecipe, monitorOf, recipeOf, stoppingOf } from './recipe.ts';
import { writeReport } from './report.ts';
import { type RunSamples, runFiles, writeConfig, writeJson } from './run-folder.ts';
import { openUi } from './ui.ts';

/** What a command trains: its own part of the run. */
export interface Job {
  /** As npm knows it: 'train:cifar'. */
  readonly command: string;
  readonly options: TrainingOptions;
  /** What decides the run, for config.json. */
  readonly arguments: Arguments;
  readonly model: Model;
  readonly modelName: string;
  /** What the weights begin with, where that is not chance. */
  readonly startText?: string;
  readonly data: {
    readonly train: Dataset;
    /** May be empty. */
    readonly validation: Dataset;
    /** May be empty. */
    readonly test: Dataset;
    /** What they are called, and where they come from. */
    readonly name: string;
    readonly description: string;
    /** For result.json. */
    readonly source: string;
  };
  /** Pictures that the page of the run's folder shows the model's answers to, where they are files. */
  readonly samples?: RunSamples;
  /** Further fields of result.json. */
  readonly facts: Readonly<Record<string, unknown>>;
}

const say = (line: string) => process.stdout.write(`${line}\n`);

/** The engine that the options ask for. What cannot work is refused before anything is loaded. */
export function engineOf({ threads, engine }: TrainingOptions): Engine {
  return createEngine({ ...(threads !== undefined && { threads }), engine });
}

/** Trains and reports; returns the exit code. Closes model and engine. */
export async function runTraining(job: Job, engine: Engine, interrupt: Interrupt): Promise<number> {
  const { options, model, data } = job;
  const files = runFiles(options.out);
  const progress = createProgress();
  const events = jsonlLogger(files.events);
  const ui = await openUi(job.command, options);
  try {
    sayWhat(job, engine);
    await writeConfig(job.command, options.out, job.arguments, job.samples);
    const validated = data.validation.size > 0;
    const monitor = monitorOf(options, validated);
    const best = modelCheckpoint(files.best, { monitor, saveBestOnly: true });
    const norms = options.gradientNorms ? gradientNorms() : undefined;
    let last: StepProgress | undefined;
    const display: Callback = {
      onBatchEnd(step) {
        last = step;
        progress.step(step);
      },
      onEpochEnd: (record) => progress.epoch(record, options.epochs, best.bestEpoch === record.epoch),
    };
    const { checkpointEvery: everySteps } = options;
    const recipe = await recipeOf(options, data.train);
    const history = await interrupt.whileTraining(() =>
      model.fit(data.train, {
        ...recipe,
        ...(validated && { validation: data.validation }),
        engine,
        checkpoint: {
          folder: files.checkpoints,
          ...(everySteps !== undefined && { everySteps }),
          resume: options.resume === undefined ? false : 'ifAny',
        },
        signal: ui ? AbortSignal.any([interrupt.signal, ui.signal]) : interrupt.signal,
        callbacks: [
          best,
          ...stoppingOf(options, monitor),
          ...(norms ? [norms] : []),
          csvLogger(files.table),
          display,
          events,
          ...(ui ? [ui.callback] : []),
        ],
      }),
    );
    progress.stop();
    ui?.say(lastWords(job, history));
    const run = { history, bestEpoch: best.bestEpoch, monitor, norms };
    return history.end === 'aborted'
      ? await finishStopped(job, run, last, interrupt.exitCode)
      : await finishTrained(job, run, engine, events.log);
  } catch (error) {
    logFailure(events.log, error);
    ui?.say(error instanceof Error ? error.message : String(error), 'failed');
    throw error;
  } finally {
    progress.stop();
    await ui?.close();
    await model.close();
    await engine.close();
  }
}

interface Finished {
  readonly history: History;
  readonly bestEpoch: number;
  readonly monitor: string;
  readonly norms: GradientNorms | undefined;
}

async function finishTrained(
  job: Job,
  run: Finished,
  engine: Engine,
  log: (event: string, fields: Readonly<Record<string, unknown>>) => void,
): Promise<number> {
  const { options, model, data } = job;
  const { history, bestEpoch, monitor, norms } = run;
  const files = runFiles(options.out);
  await model.save(files.model);
  sayBest(run, options);
  const tested = data.test.size > 0 ? await model.evaluate(data.test, { engine }) : undefined;
  if (tested) say(`Test - loss: ${tested.loss.toFixed(4)} - accuracy: ${tested.accuracy.toFixed(4)}`);
  const hash = weightsSha256(model);
  await writeJson(job.command, files.result, {
    model: job.modelName,
    parameters: model.parameterCount,
    data: data.source,
    engine: options.engine,
    threads: engine.threads,
    seed: options.seed,
    numerics: options.numerics,
    ...job.facts,
    preset: options.preset,
    augmentation: options.augment !== 'none',
    batchSize: options.batchSize,
    node: process.versions.node,
    end: history.end,
    bestEpoch,
    monitor,
    epochs: history.epochs,
    ...(tested && { test: tested }),
    weightsSha256: hash,
  });
  log('result', { ...tested, bestEpoch, weightsSha256: hash });
  say(`Written: ${files.result}`);
  const report = { engine, records: history.epochs, bestEpoch, norms: norms?.norms ?? [], hash };
  await tryReport(job, { ...report, complete: true });
  return EXIT.done;
}

async function finishStopped(
  job: Job,
  run: Finished,
  last: StepProgress | undefined,
  exitCode: number,
): Promise<number> {
  const { options } = job;
  const where =
    last === undefined
      ? 'before the first step'
      : `in epoch ${last.epoch} of ${options.epochs}, after step ${last.step} of ${last.steps}`;
  say(`Stopped ${where}. Saved; this goes on with it:\n\n  ${resumeCommand(job)}\n`);
  const { history, bestEpoch, norms } = run;
  await tryReport(job, {
    records: history.epochs,
    bestEpoch,
    norms: norms?.norms ?? [],
    complete: false,
    note: `Stopped ${where}.`,
  });
  return exitCode;
}

function resumeCommand({ command, options }: Job): string {
  return `npm run ${command} -- --resume ${shellQuoted(options.out)}`;
}

/** What the page of the run says when it is over. */
function lastWords(job: Job, { end }: History): string {
  if (end === 'aborted') return `Saved. This goes on with it: ${resumeCommand(job)}`;
  return `This shows the run again: npm run ui -- ${shellQuoted(job.options.out)}`;
}

/** The report is the last thing, and worth no run: where it cannot be drawn, says so. */
async function tryReport(job: Job, report: Parameters<typeof writeReport>[1]): Promise<void> {
  try {
    say(`Written: ${await writeReport(job, report)}`);
  } catch (error) {
    process.stderr.write(`No report.html: ${error instanceof Error ? error.message : error}\n`);
  }
}

function logFailure(log: (event: string, fields: Readonly<Record<string, unknown>>) => void, error: unknown) {
  try {
    log('failed', { message: error instanceof Error ? error.message : String(error) });
  } catch {
    // The disk may be what failed; the error itself is what the user must see.
  }
}

function sayWhat({ model, options, data, startText }: Job, engine: Engine): void {
  say(model.summary({ batchSize: options.batchSize, threads: engine.threads }));
  const { train, validation, test } = data;
  say(`\nData:   ${data.description}`);
  say(`        ${train.size} for training, ${validation.size} for validation, ${test.size} for the test`);
  say(`Engine: ${options.engine}, ${count(engine.threads, 'thread')}, Node ${process.versions.node}`);
  if (startText) say(`Start:  ${startText}`);
  say(`Recipe: ${describeRecipe(options).join('\n        ')}`);
  say(options.resume === undefined ? '' : `\nGoing on with the run in ${options.out}\n`);
}

function sayBest({ history, bestEpoch, monitor }: Finished, options: TrainingOptions): void {
  const { restoreBest, out, earlyStopping = 0 } = options;
  if (history.end === 'stopped') {
    say(`\nStopped early: ${count(earlyStopping, 'epoch')} without a better ${monitor}.`);
  }
  const best = history.epochs.find(({ epoch }) => epoch === bestEpoch);
  if (best === undefined) return;
  const value = (best as unknown as Record<string, number>)[monitor]!;
  const kept = restoreBest ? 'its weights are the result' : `kept as ${path.join(out, 'best.safetensors')}`;
  say(`\nBest epoch: ${bestEpoch} (${monitor} ${value.toFixed(4)}), ${kept}`);
}

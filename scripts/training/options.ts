/** Options that all training commands share: the recipe, where it runs, what is kept of it. */
import { ConfigError } from '../../src/errors.ts';
import { choice, decimal, flag, text, wholeNumber } from '../arguments.ts';
import { PRESETS, type Preset, type PresetName, presets } from './presets.ts';

export const TRAINING_OPTIONS = {
  preset: text,
  epochs: text,
  'batch-size': text,
  optimizer: text,
  'learning-rate': text,
  momentum: text,
  schedule: text,
  warmup: text,
  'weight-decay': text,
  'clip-norm': text,
  ema: text,
  'label-smoothing': text,
  augment: text,
  'no-augment': flag,
  'no-shuffle': flag,
  'class-weight': text,
  'validation-split': text,
  'early-stopping': text,
  monitor: text,
  'min-delta': text,
  'restore-best': flag,
  'on-non-finite': text,
  seed: text,
  numerics: text,
  from: text,
  freeze: text,
  threads: text,
  engine: text,
  out: text,
  'checkpoint-every': text,
  'gradient-norms': flag,
  ui: flag,
  resume: text,
  help: flag,
} as const;

/** The figures of an epoch that `--monitor` may name. */
const FIGURES = ['valAccuracy', 'valLoss', 'accuracy', 'loss'] as const;

/** What a training command was asked to do, the data and the network apart. */
export interface TrainingOptions extends Preset {
  readonly preset: PresetName;
  /** Limit of the norm of all gradients together; undefined: none. */
  readonly clipNorm: number | undefined;
  /** Momentum of the moving average of the weights; undefined: none is kept. */
  readonly ema: number | undefined;
  readonly shuffle: boolean;
  readonly classWeight: 'none' | 'balanced';
  readonly validationSplit: number;
  /** Epochs without improvement after which the run ends; undefined: it does not. */
  readonly earlyStopping: number | undefined;
  /** What tells the best epoch; undefined: the accuracy on the validation set, or on the training set without one. */
  readonly monitor: (typeof FIGURES)[number] | undefined;
  readonly minDelta: number;
  readonly restoreBest: boolean;
  readonly onNonFinite: 'stop' | 'skip';
  readonly seed: number;
  readonly numerics: 'direct' | 'accurate' | 'fast';
  /** A trained model to begin with, a file or a run's folder; undefined: fresh weights. */
  readonly from: string | undefined;
  /** Beginnings of the names of layers that keep the weights that they have in `from`. */
  readonly freeze: readonly string[];
  readonly threads: number | undefined;
  readonly engine: 'simd' | 'scalar';
  readonly out: string;
  /** Steps between two checkpoints; undefined: after epochs only. */
  readonly checkpointEvery: number | undefined;
  readonly gradientNorms: boolean;
  /** Whether a page in the browser follows the run. */
  readonly ui: boolean;
  /** The folder of a run to go on with. */
  readonly resume: string | undefined;
}

/** Learning rates of optimizers that are not the preset's: Keras' defaults. */
const RATES = { adam: 0.001, adamW: 0.001, sgd: 0.01 } as const;

type Values = { readonly [name in keyof typeof TRAINING_OPTIONS]?: string | boolean | undefined };

/**
 * The options of a command line that was read. `out`: the default of --out, `usualPreset` of --preset. Throws
 * ConfigError.
 */
export function trainingOptions(
  command: string,
  values: Values,
  out: string,
  usualPreset: PresetName = 'notebook',
): TrainingOptions {
  const given = values as Readonly<Record<string, string | undefined>>;
  const whole = (name: string, least: number) => wholeNumber(command, name, given[name], least);
  const number = (name: string, range: Parameters<typeof decimal>[3]) =>
    decimal(command, name, given[name], range);
  const oneOf = <T extends string>(name: string, choices: readonly T[]) =>
    choice(command, name, given[name], choices);
  const preset = oneOf('preset', PRESETS) ?? usualPreset;
  const usual = presets[preset];
  const optimizer = oneOf('optimizer', ['adam', 'adamW', 'sgd']) ?? usual.optimizer;
  const rate = optimizer === usual.optimizer ? usual.learningRate : RATES[optimizer];
  checkStart(command, values);
  return {
    preset,
    epochs: whole('epochs', 1) ?? usual.epochs,
    batchSize: whole('batch-size', 1) ?? usual.batchSize,
    optimizer,
    learningRate: number('learning-rate', { least: 0, above: true }) ?? rate,
    momentum:
      number('momentum', { least: 0, below: 1 }) ?? (optimizer === usual.optimizer ? usual.momentum : 0),
    schedule: oneOf('schedule', ['constant', 'cosine']) ?? usual.schedule,
    warmup: number('warmup', { least: 0 }) ?? usual.warmup,
    weightDecay: number('weight-decay', { least: 0 }) ?? usual.weightDecay,
    clipNorm: number('clip-norm', { least: 0, above: true }),
    ema: number('ema', { least: 0, below: 1 }),
    labelSmoothing: number('label-smoothing', { least: 0, below: 1 }) ?? usual.labelSmoothing,
    augment: values['no-augment']
      ? 'none'
      : (oneOf('augment', ['notebook', 'light', 'crop', 'none']) ?? usual.augment),
    shuffle: !values['no-shuffle'],
    classWeight: oneOf('class-weight', ['none', 'balanced']) ?? 'none',
    validationSplit: number('validation-split', { least: 0, below: 1 }) ?? 0.1,
    earlyStopping: whole('early-stopping', 1),
    monitor: oneOf('monitor', FIGURES),
    minDelta: number('min-delta', { least: 0 }) ?? 0,
    restoreBest: values['restore-best'] === true,
    onNonFinite: oneOf('on-non-finite', ['stop', 'skip']) ?? 'stop',
    seed: whole('seed', 0) ?? 21,
    numerics: oneOf('numerics', ['direct', 'accurate', 'fast']) ?? 'fast',
    from: given.from,
    freeze: given.freeze?.split(',').map((name) => name.trim()) ?? [],
    threads: whole('threads', 1),
    engine: oneOf('engine', ['simd', 'scalar']) ?? 'simd',
    out: given.out ?? given.resume ?? out,
    checkpointEvery: whole('checkpoint-every', 1),
    gradientNorms: values['gradient-norms'] === true,
    ui: values.ui === true,
    resume: given.resume,
  };
}

/** Options that `--from` leaves nothing to decide about. */
const OF_THE_MODEL = ['model', 'size', 'grey', 'resize', 'normalization'];

/** Throws ConfigError where `--from` and `--freeze` make no sense with what else was said. */
function checkStart(command: string, values: Readonly<Record<string, unknown>>): void {
  const refuse = (argument: string, expected: string, received: string): never => {
    throw new ConfigError({ operation: command, argument, expected, received });
  };
  const { from, freeze } = values;
  if (from === '')
    refuse('--from', "a file that training wrote (model.safetensors), or a run's folder", 'none');
  const decided = OF_THE_MODEL.find((name) => values[name] !== undefined);
  if (from !== undefined && decided !== undefined) {
    refuse('--from', 'network, size and normalisation as they are in that model', `--${decided} beside it`);
  }
  if (typeof freeze !== 'string') return;
  if (from === undefined) refuse('--freeze', '--from beside it: fresh weights are to be learned', 'none');
  if (freeze.split(',').some((name) => name.trim() === '')) {
    refuse('--freeze', 'beginnings of names with commas between them', JSON.stringify(freeze));
  }
}

/** Values of options by their names, as a command line has them. */
export type Arguments = Readonly<Record<string, string | number | boolean>>;

/** What decides the run, by the options' names: what config.json stores and `trainingOptions` reads. */
export function trainingArguments(options: TrainingOptions): Arguments {
  return given({
    preset: options.preset,
    epochs: options.epochs,
    'batch-size': options.batchSize,
    optimizer: options.optimizer,
    'learning-rate': options.learningRate,
    momentum: options.momentum,
    schedule: options.schedule,
    warmup: options.warmup,
    'weight-decay': options.weightDecay,
    'clip-norm': options.clipNorm,
    ema: options.ema,
    'label-smoothing': options.labelSmoothing,
    augment: options.augment,
    'no-shuffle': !options.shuffle,
    'class-weight': options.classWeight,
    'validation-split': options.validationSplit,
    'early-stopping': options.earlyStopping,
    monitor: options.monitor,
    'min-delta': options.minDelta,
    'restore-best': options.restoreBest,
    'on-non-finite': options.onNonFinite,
    seed: options.seed,
    numerics: options.numerics,
    from: options.from,
    freeze: options.freeze.length > 0 ? options.freeze.join(',') : undefined,
    'checkpoint-every': options.checkpointEvery,
    'gradient-norms': options.gradientNorms,
  });
}

/** Without what is not set. */
export function given(values: Readonly<Record<string, string | number | boolean | undefined>>): Arguments {
  return Object.fromEntries(
    Object.entries(values).filter(
      (entry): entry is [string, string | number | true] => entry[1] !== undefined && entry[1] !== false,
    ),
  );
}

/** As words of a command line. */
export function wordsOf(values: Arguments): string[] {
  return Object.entries(values).map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`));
}
